"""Google's addresses: which requests are its own, and what they are called here."""

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

#: Where all of Google's routes are. Others lead here.
PREFIX = "/v1beta"
#: The header of Google's clients.
KEY_HEADER = "x-goog-api-key"
#: The parameter that may have the key instead.
KEY_PARAMETER = "key"

#: Google's clients put `/v1` or `/v1beta` behind the base URL, which may end in one of them already.
_NATIVE = re.compile(r"(?:/v1)*/v1beta(?=/|$)")
#: Under the paths of OpenAI's API only a method of a model is Google's …
_METHOD = re.compile(r"(?:/v1)*(?=/models/.+:[A-Za-z]+$)")
#: … and the list of models, which is Google's by its key.
_MODELS = re.compile(r"(?:/v1)*(?=/models(?:/.+)?$)")


class ModelMethod(NamedTuple):
    """A model, and what to do with it: `models/{model}:{method}`."""

    model: str
    method: str


class Query(NamedTuple):
    """A query string without its key, and the key; "" if there was none."""

    rest: bytes
    key: str


def native_path(method: str, path: str, *, has_key: bool) -> str | None:
    """Return the path of a request of Google's below `PREFIX`; None for every other request.

    `has_key` says that the key came as Google's clients send it.
    """
    if (found := _NATIVE.match(path)) is not None:
        return PREFIX + path[found.end() :]
    pattern = {"POST": _METHOD, "GET": _MODELS if has_key else None}.get(method)
    found = pattern.match(path) if pattern else None
    return None if found is None else PREFIX + path[found.end() :]


def split_key(query: bytes) -> Query:
    """Take the key out of a query string."""
    if not query:
        return Query(b"", "")
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    key = next((value for name, value in pairs if name == KEY_PARAMETER), "")
    rest = [(name, value) for name, value in pairs if name != KEY_PARAMETER]
    return Query(urlencode(rest).encode(), key.strip())


def model_method(name: str) -> ModelMethod:
    """Return what `{model}:{method}` says. Without a colon the method is ""."""
    plain = name.removeprefix("/")
    model, _, method = plain.rpartition(":")
    return ModelMethod(model, method) if model else ModelMethod(plain, "")


def canonical_route(called: ModelMethod) -> str:
    """Return the route by which a repeated request is known: a stream is another form of the same answer."""
    method = "generateContent" if called.method == "streamGenerateContent" else called.method
    return f"{PREFIX}/models/{called.model}:{method}"
