"""The commands `adapter image` and `adapter video`: a client of a running adapter, or of any server with OpenAI's API.

It shares no code with the server: what it knows of the API is in `wire`.
"""
