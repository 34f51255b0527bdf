"""The OpenAPI document of `/openapi.json`: its schemas come from the wire structs and from `read/names.py`.

`operations` says for each handler what no struct says: parameters, kinds of bodies, statuses.
"""
