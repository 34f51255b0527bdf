"""Who asks: a key. What it has made belongs to it."""

import hashlib
from typing import Final

import msgspec
from litestar.response.base import ASGIResponse

from adapter.sandbox.fault_injection import Work, served
from adapter.sandbox.faults import Endpoint
from adapter.sandbox.google_errors import GoogleError
from adapter.sandbox.omni.refusals import InteractionError, in_words
from adapter.sandbox.state import Incoming, SandboxState, key_checked

VERSIONS: Final = ("v1", "v1beta")


def caller(request: Incoming, sandbox: SandboxState) -> str:
    """Return whose key a request has, without showing the key.

    Raises:
        InteractionError: 401, without a known key.
    """
    try:
        key_checked(request, sandbox.rules)
    except GoogleError as error:
        raise InteractionError(401, error.status.message) from error
    key = request.headers.get("x-goog-api-key") or request.query_params.get("key") or ""
    return f"key-{hashlib.sha256(key.encode()).hexdigest()[:12]}"


async def answered(request: Incoming, sandbox: SandboxState, call: tuple[Endpoint, str], work: Work) -> ASGIResponse:
    """Answer as `served`; a fault's error has a word."""
    try:
        return await served(request, sandbox, call, work)
    except GoogleError as error:
        raise in_words(error) from error


def json(message: msgspec.Struct, headers: dict[str, str] | None = None) -> ASGIResponse:
    """Return an answer in JSON."""
    body = msgspec.json.encode(message)
    return ASGIResponse(body=body, media_type="application/json; charset=UTF-8", headers=headers or {})
