"""What the routes work with, made once by `create_sandbox`, and the checks of every request."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec
from litestar import Request
from litestar.datastructures import State

from adapter.sandbox.cloud.access import CloudAccess
from adapter.sandbox.faults import Endpoint, Faults
from adapter.sandbox.google_errors import ErrorInfo, GoogleError
from adapter.sandbox.memory.ledger import Ledger
from adapter.sandbox.renderer.gallery import Gallery
from adapter.sandbox.rules import SandboxAccount, SandboxRules
from adapter.sandbox.storage.links import Links

Incoming: TypeAlias = Request[object, object, State]

#: Seed 002, basics: both carry JSON.
_ACCEPTED = ("application/json", "text/plain")


class SandboxState(msgspec.Struct, frozen=True, kw_only=True):
    """The emulated upstream behind the routes."""

    rules: SandboxRules
    #: Unix seconds.
    clock: Callable[[], float]
    ledger: Ledger
    gallery: Gallery
    links: Links
    faults: Faults
    cloud: CloudAccess
    #: Uploads to the Files API that have not ended, by their id.
    uploads: dict[str, bytearray] = msgspec.field(default_factory=dict)


def sandbox_of(request: Incoming) -> SandboxState:
    """Return the state of the application that received this request."""
    sandbox: SandboxState = request.app.state.sandbox
    return sandbox


def entered(request: Incoming, endpoint: Endpoint) -> SandboxState:
    """Count a request at `endpoint` and return the sandbox's state."""
    sandbox = sandbox_of(request)
    sandbox.ledger.requests[endpoint] += 1
    return sandbox


async def json_body(request: Incoming) -> bytes:
    """Return the body of a request that says JSON, plain text or nothing about its type.

    Raises:
        GoogleError: 400, for any other content type.
    """
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind not in _ACCEPTED:
        raise GoogleError(400, f"Invalid content type: {kind}. Expected application/json.")
    return await request.body()


def base_url(request: Incoming) -> str:
    """Return the scheme, host and port that the client used: an emulator on loopback may trust them."""
    return f"{request.url.scheme}://{request.url.netloc}"


def key_checked(request: Incoming, rules: SandboxRules) -> None:
    """Let a Gemini request pass with a known key, in the header or `?key=` (`gemini.md` sections 3 and 5).

    Raises:
        GoogleError: 403 without a key, 400 API_KEY_INVALID with a wrong one, as Google does.
    """
    key = request.headers.get("x-goog-api-key") or request.query_params.get("key")
    if not key:
        raise GoogleError(
            403,
            "Method doesn't allow unregistered callers (callers without established identity). "
            "Please use API Key or other form of API consumer identity to call this API.",
        )
    if key not in rules.api_keys:
        info = ErrorInfo("API_KEY_INVALID", "googleapis.com", {"service": "generativelanguage.googleapis.com"})
        raise GoogleError(400, "API key not valid. Please pass a valid API key.", info)


def account_of(request: Incoming, ledger: Ledger) -> SandboxAccount:
    """Return the account of the Bearer token.

    Raises:
        GoogleError: 401 UNAUTHENTICATED when it is missing or unknown.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    account = ledger.accounts.get(token.strip()) if scheme.lower() == "bearer" else None
    if account is None:
        start = (
            "Request had invalid authentication credentials."
            if token
            else "Request is missing required authentication credential."
        )
        raise GoogleError(
            401,
            f"{start} Expected OAuth 2 access token, login cookie or other valid authentication credential. "
            "See https://developers.google.com/identity/sign-in/web/devconsole-project.",
            ErrorInfo("ACCESS_TOKEN_INVALID" if token else "CREDENTIALS_MISSING", "googleapis.com"),
        )
    return account
