"""The address of a server, as a person writes it."""

from typing import Final
from urllib.parse import urlsplit

import click

PORTS: Final = {"http": 80, "https": 443}


def base_of(address: str) -> str:
    """Return the address before `/v1`: scheme, host, port if it was written, and path.

    Raises:
        click.UsageError: it is no such address. The message does not repeat it, because it may have a password in it.
    """
    try:
        parts = urlsplit(address.strip())
        host, port = parts.hostname or "", parts.port
        known = host.encode("idna").decode() if not host.isascii() else host
        known.encode("idna")  # the length of its parts
    except ValueError:
        raise _refused() from None
    if parts.scheme not in PORTS or not host or parts.username is not None or parts.query or parts.fragment:
        raise _refused()
    place = f"[{known}]" if ":" in known else known
    path = parts.path.rstrip("/").removesuffix("/v1")
    if not path.isascii() or any(character.isspace() for character in place + path):
        raise _refused()
    return f"{parts.scheme}://{place}{'' if port is None else f':{port}'}{path}"


def _refused() -> click.UsageError:
    return click.UsageError(
        "The address of the server has to be like http://127.0.0.1:8000 or https://media.example/path, without a "
        "user name; --url or ADAPTER_URL gives it."
    )
