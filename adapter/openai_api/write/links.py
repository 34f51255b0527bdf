"""Links to our own media."""


def media_link(public_url: str, name: str) -> str:
    """Return the public address of a stored file: no query, and it ends in the file's extension (`frontends.md` R9)."""
    return f"{public_url}/media/{name}"
