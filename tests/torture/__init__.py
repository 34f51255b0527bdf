"""The proof of the engine: `make torture COUNT=100`; its short form is part of `make test`. See docs/reliability.md.

edges.py     before and after every call through a port; what shall happen there
victim.py    the server that is tormented;  bugs.py  mistakes to dress it with
nursery.py   where its processes come from
arena.py     its world: a sandbox that survives, a database, a folder;  client.py  who wants videos;  wishes.py  which
inventory.py  the files that are left when all is over, and who owns them
runs.py      the kinds of trials;  plan.py  which of them are put on;  stage.py  a few at a time
checker.py   the judge
"""
