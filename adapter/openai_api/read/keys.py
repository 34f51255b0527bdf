"""Where clients put their key."""

from collections.abc import Mapping, Sequence

#: Azure's clients, and programs made for Anthropic's and Google's APIs, send a key by itself.
KEY_HEADERS = ("api-key", "x-api-key", "x-goog-api-key")


def read_keys(headers: Mapping[str, str]) -> Sequence[str]:
    """Return the keys of a request. The official clients need one of their own, and a program may add the real one."""
    kind, _, bearer = headers.get("authorization", "").partition(" ")
    sent = [bearer if kind.lower() == "bearer" else "", *(headers.get(name, "") for name in KEY_HEADERS)]
    return [key.strip() for key in sent if key.strip()]
