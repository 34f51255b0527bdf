"""Access tokens of Google Cloud, made by google-auth: the references `google:` and `google:/path`.

google-auth is the extra `vertex`. It finds and reads every kind of credential that Google Cloud has. Its calls
block, so they run in a thread.
"""

import asyncio
import math
import os
import re
import time
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import google.auth
import httpcore
import msgspec
import structlog
from google.auth import environment_vars, exceptions, transport
from google.auth.credentials import Credentials, with_scopes_if_required

from adapter.domain.ports import TokenRequests
from adapter.errors import (
    AdapterError,
    UnreachableCause,
    UpstreamBroken,
    UpstreamCredential,
    UpstreamSilent,
    UpstreamUnreachable,
    WrongConfiguration,
)

log = structlog.get_logger()

SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
#: A token is renewed so many seconds before its end.
EARLY_SECONDS: Final = 240.0
#: A renewal is not repeated within so many seconds.
REST_SECONDS: Final = 5.0
#: For a token that does not say how long it is valid.
USUAL_SECONDS: Final = 3600.0
#: Seconds that a request waits for a token: as long as for a connection.
WAIT_SECONDS: Final = 10.0
#: Seconds of each step of a request to a token service. httpcore's own words for them.
TIMEOUTS: Final = {"connect": 10.0, "read": 10.0, "write": 10.0, "pool": 10.0}
#: Bytes of an answer. A token has some thousand at most.
LONGEST_ANSWER: Final = 1024 * 1024
#: What fits into a header: visible ASCII.
FITTING: Final = re.compile(r"[!-~]+")
#: The kinds of files that google-auth reads (its `_default.py`), without the one that needs a transport of its own.
KINDS: Final = (
    "authorized_user",
    "service_account",
    "external_account",
    "external_account_authorized_user",
    "impersonated_service_account",
)

REFUSED: Final = "Google refused the adapter's own credential. The operator has to look at it."
#: What an answer without a token leads to inside google-auth.
ODD: Final = (TypeError, ValueError, KeyError, AttributeError, OverflowError)
#: What the error codes of a token service mean to the operator (RFC 6749 section 5.2, RFC 7523 section 3.1).
REASONS: Final[Mapping[str, str]] = {
    "invalid_grant": (
        "invalid_grant: the key or the login is not valid any more. A key may be deleted or disabled, its account may "
        "be gone, or the clock of this machine is wrong. A person logs in again with "
        "`gcloud auth application-default login`"
    ),
    "invalid_client": "invalid_client: the client id or the client secret in the file is wrong",
    "unauthorized_client": "unauthorized_client: the account may not ask for tokens with this scope",
    "invalid_scope": "invalid_scope: the login does not include the scope cloud-platform",
    "access_denied": "access_denied: a policy of the organisation forbids it",
    "invalid_target": "invalid_target: the workload identity pool is not there, or is disabled",
    "invalid_request": "invalid_request: the file does not fit to its token service",
}


class Token(msgspec.Struct, frozen=True):
    """An access token."""

    value: str
    #: It is valid for so many seconds from when it was fetched.
    seconds: float
    #: The project that calls are counted for; empty: that of the credential.
    quota_project: str = ""


#: Fetches a token, or says why there is none. It blocks.
Fetch = Callable[[], Token | AdapterError]


class GoogleSecret:
    """An access token that is renewed before its end (the port `Secret`). One renewal serves all who wait for it."""

    def __init__(
        self, fetch: Fetch, clock: Callable[[], float] = time.monotonic, *, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        """Take what fetches a token, a clock in seconds, and how long a request waits for a token."""
        self._fetch = fetch
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._token = Token("", 0.0)
        self._outcome: Token | AdapterError = self._token
        self._ends_at = self._tried_at = -math.inf
        self._renewal: asyncio.Future[Token | AdapterError] | None = None

    @property
    def quota_project(self) -> str:
        """The project that calls are counted for, as far as the credential names one."""
        return self._token.quota_project

    async def read(self) -> str:
        """Return a valid token. Within four minutes of its end another one is fetched beside the work.

        Raises:
            UpstreamCredential: the token service refuses the credential.
            UpstreamUnreachable: it gives no answer.
        """
        left = self._ends_at - self._clock()
        if left <= 0:
            return await self._renewed()
        if left <= EARLY_SECONDS and not self._is_resting:
            self._begin()
        return self._token.value

    async def renew(self) -> str:
        """Return another token. One that was fetched a moment ago stays.

        Raises:
            UpstreamCredential, UpstreamUnreachable: as `read`.
        """
        return await self._renewed()

    @property
    def _is_resting(self) -> bool:
        return self._clock() - self._tried_at < REST_SECONDS

    async def _renewed(self) -> str:
        outcome = self._outcome if self._renewal is None and self._is_resting else await self._next()
        if isinstance(outcome, AdapterError):
            raise outcome.copy()
        return outcome.value

    async def _next(self) -> Token | AdapterError:
        """Wait for a renewal. A caller that leaves does not end it."""
        try:
            async with asyncio.timeout(self._wait_seconds):
                return await asyncio.shield(self._begin())
        except TimeoutError:
            return away("timeout")

    def _begin(self) -> asyncio.Future[Token | AdapterError]:
        if self._renewal is None:
            self._renewal = asyncio.get_running_loop().run_in_executor(None, self._fetch)
            self._renewal.add_done_callback(self._end)
        return self._renewal

    def _end(self, renewal: asyncio.Future[Token | AdapterError]) -> None:
        self._renewal = None
        if renewal.cancelled() or renewal.exception() is not None:
            return
        self._outcome, self._tried_at = renewal.result(), self._clock()
        if isinstance(self._outcome, Token):
            self._token = self._outcome
            self._ends_at = self._clock() + self._token.seconds


class _Answer(transport.Response):
    """The answer of a token service, as google-auth reads it."""

    def __init__(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
        if status >= 500:
            # google-auth would sleep and ask again, while requests wait.
            raise _failure(f"the status {status}")
        self._status = status
        self._data = data
        self._headers = headers

    @property
    def status(self) -> int:
        return self._status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._headers

    @property
    def data(self) -> bytes:
        return self._data


class TokenTransport(transport.Request):
    """How google-auth asks token services: by the system's certificates, without proxies, redirects and retries."""

    def __call__(  # noqa: D102 - google-auth's signature
        self,
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: object,
    ) -> transport.Response:
        limits = {name: min(seconds, timeout or seconds) for name, seconds in TIMEOUTS.items()}
        content = body.encode() if isinstance(body, str) else body
        try:
            with (
                httpcore.ConnectionPool() as pool,
                pool.stream(
                    method, url, headers=[*(headers or {}).items()], content=content, extensions={"timeout": limits}
                ) as answer,
            ):
                data = _read(answer)
        except (httpcore.ConnectError, httpcore.TimeoutException) as error:
            raise _failure("no connection, or no answer in time") from error
        except (httpcore.ProtocolError, httpcore.NetworkError, httpcore.UnsupportedProtocol, ValueError) as error:
            raise _failure("no answer") from error
        found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
        return _Answer(answer.status, data, found)


class WayTransport(transport.Request):
    """How google-auth asks token services on the way of a provider. Metadata servers are asked directly."""

    def __init__(self, tokens: TokenRequests, direct: transport.Request) -> None:
        """Take the way, and what asks metadata servers."""
        self._tokens = tokens
        self._direct = direct

    def __call__(  # noqa: D102 - google-auth's signature
        self,
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: object,
    ) -> transport.Response:
        if is_metadata(url):
            near: transport.Response = self._direct(url, method, body, headers, timeout)
            return near
        if method not in {"GET", "POST"}:
            raise _failure("no answer: it is asked by GET and POST only")
        content = body.encode() if isinstance(body, str) else body or b""
        try:
            named = {name.lower(): value for name, value in (headers or {}).items()}
            reply = self._tokens(method, url, headers=named, body=content)
        except UpstreamUnreachable as error:
            raise _failure(f"no connection ({error.cause})") from error
        except AdapterError as error:
            raise _failure("no answer") from error
        return _Answer(reply.status, reply.body, {})


def is_metadata(url: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Say whether an address is that of a metadata server, which only its own machine reaches.

    These have addresses of the link (RFC 3927), that of AWS has one more. `GCE_METADATA_HOST` is a name of Google's.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host == "metadata.google.internal" or parts.netloc == environ.get(environment_vars.GCE_METADATA_HOST):
        return True
    try:
        return ip_address(host).is_link_local or host == "fd00:ec2::254"
    except ValueError:
        return False


def _failure(words: str) -> exceptions.TransportError:
    return exceptions.TransportError(words)  # type: ignore[no-untyped-call]


def _read(answer: httpcore.Response) -> bytes:
    data = bytearray()
    for piece in answer.iter_stream():
        data += piece
        if len(data) > LONGEST_ANSWER:
            raise _failure("an answer that is too long")
    return bytes(data)


class _Kind(msgspec.Struct, frozen=True):
    """What a file of a credential says of itself."""

    type: str = ""


def google_secret(
    path: str,
    *,
    key: str,
    clock: Callable[[], float] = time.monotonic,
    tokens: TokenRequests | None = None,
    request: transport.Request | None = None,
) -> GoogleSecret:
    """Return the token of a credential in a file, or, without a path, of the one that the surroundings have.

    `key` names the setting in error messages. `tokens` asks token services; None: they are asked by `request`, or
    directly.

    Raises:
        WrongConfiguration: the file is not there, or is no credential of Google Cloud.
    """
    if path:
        _check_file(Path(path), key)
    request = request or TokenTransport()
    if tokens is None:
        return GoogleSecret(partial(fetched, path, request), clock)
    return GoogleSecret(partial(fetched, path, WayTransport(tokens, request)), clock, wait_seconds=tokens.seconds)


def _check_file(path: Path, key: str) -> None:
    try:
        kind = msgspec.json.decode(path.read_bytes(), type=_Kind).type
    except OSError as error:
        raise WrongConfiguration(f"{key}: the file {path} cannot be read: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        kind = ""
    if kind not in KINDS:
        raise WrongConfiguration(
            f"{key}: the file {path} is no credential of Google Cloud. It is JSON with a 'type': {', '.join(KINDS)}."
        )


def fetched(path: str, request: transport.Request) -> Token | AdapterError:
    """Fetch a token, or say why there is none. The file is read each time, because keys are exchanged."""
    try:
        return _fetch(path, request)
    except (exceptions.GoogleAuthError, *ODD) as error:
        words = _words(error, path)
        # Not its text: that may repeat what was sent.
        log.error("credential.no_token", credential=f"google:{path}", reason=words)  # noqa: TRY400
        return UpstreamCredential(REFUSED, reason=words) if _is_refusal(error) else _away(error)


def _fetch(path: str, request: transport.Request) -> Token:
    try:
        credentials = _loaded(path, request)
    except ODD as error:
        raise exceptions.DefaultCredentialsError from error
    credentials.refresh(request)  # type: ignore[no-untyped-call]
    end = credentials.expiry
    seconds = USUAL_SECONDS if end is None else (end.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()
    value = credentials.token
    if value is None or FITTING.fullmatch(value) is None:
        raise ValueError
    return Token(value, seconds, getattr(credentials, "quota_project_id", None) or "")


def _loaded(path: str, request: transport.Request) -> Credentials:
    found: Credentials
    if not path:
        found, _ = google.auth.default(scopes=SCOPES, request=request)
        return found
    with warnings.catch_warnings():
        # It warns of files from strangers. This one is named by the operator.
        warnings.simplefilter("ignore", DeprecationWarning)
        found, _ = google.auth.load_credentials_from_file(path, request=request)  # type: ignore[no-untyped-call]
    scoped: Credentials = with_scopes_if_required(found, SCOPES)  # type: ignore[no-untyped-call]
    return scoped


def _is_refusal(error: Exception) -> bool:
    """Say whether the same credential will not do the next time either."""
    if isinstance(error, exceptions.RefreshError):
        return not (error.retryable or isinstance(error.__cause__, exceptions.TransportError))
    return isinstance(error, exceptions.DefaultCredentialsError)


def _away(error: Exception) -> AdapterError:
    """Return the fault of the way, if it was the way; its words are about the proxy."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AdapterError) and not isinstance(cause, UpstreamBroken | UpstreamSilent):
            return cause.copy()
        cause = cause.__cause__
    return away("network")


def away(cause: UnreachableCause) -> UpstreamUnreachable:
    """Nothing was sent to the service that makes media."""
    return UpstreamUnreachable("Google's token service gives no access token at the moment.", cause=cause)


def _words(error: Exception, path: str) -> str:
    """Say why there is no token, in our own words: those of a token service may repeat what it was sent."""
    match error:
        case exceptions.DefaultCredentialsError() if path:
            return "the file cannot be used: a part of it is missing or damaged"
        case exceptions.DefaultCredentialsError():
            return (
                "there is no credential that can be used. Google's library looks into GOOGLE_APPLICATION_CREDENTIALS, "
                "the login of `gcloud auth application-default login`, and the metadata server of Google's machines"
            )
        case exceptions.RefreshError(args=(_, {"error": str() as code}, *_)) if code in REASONS:
            return REASONS[code]
        case exceptions.RefreshError(args=(str() as text, *_)) if text.startswith("Reauthentication is needed"):
            return "the login has to be renewed: `gcloud auth application-default login`"
        case exceptions.RefreshError(args=(str() as text, *_)) if "impersonated" in text:
            return (
                "the account may not be impersonated. The credential needs the role "
                "roles/iam.serviceAccountTokenCreator for it"
            )
        case exceptions.TransportError(args=(str() as text, *_)) if type(error) is exceptions.TransportError:
            return f"the token service gives {text}" if len(text) < 60 else "the token service cannot be asked"
        case exceptions.RefreshError():
            return "the token service refuses the credential"
        case _:
            return f"the answer of the token service cannot be used ({type(error).__name__})"
