"""One address of the Gemini API, and what every call to it has: the version, the revision and a key."""

from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, Protocol
from urllib.parse import quote

import msgspec
import structlog

from adapter.domain.answer_memory import SMALL_ANSWER_BYTES, bounded
from adapter.errors import UpstreamBroken, UpstreamCredential, UpstreamLocation
from adapter.providers.http import Http
from adapter.providers.keys import Key
from adapter.providers.omni.faults import fault
from adapter.providers.origin import OwnOrigin
from adapter.providers.renewal import renewed
from adapter.providers.reply import Reply

log = structlog.get_logger()

Send = Callable[..., Awaitable[Reply]]


class InteractionsEndpoint(Protocol):
    """Where interactions are offered: the Gemini API, or Google Cloud (`providers/vertex`)."""

    @property
    def provider(self) -> str:
        """The provider's name, for the log."""
        ...

    @property
    def base_url(self) -> str:
        """The origin that gets the credential."""
        ...

    @property
    def api_version(self) -> str:
        """Part of each address."""
        ...

    @property
    def concurrency(self) -> int:
        """Questions and uploads under way at once."""
        ...

    def address(self, *path: str) -> str:
        """Return the address of something at the API."""
        ...

    def headers(self, key: Key, secret: str) -> Mapping[str, str]:
        """Return the headers of a call with what a key was read as."""
        ...


class OmniEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where the API is, and how it is spoken to."""

    provider: ClassVar[str] = "omni"

    base_url: str
    api_version: str
    #: The value of `Api-Revision`; empty: not sent.
    revision: str
    #: Questions and uploads under way at once.
    concurrency: int

    def address(self, *path: str) -> str:
        """Return the address of something at the API."""
        return "/".join((self.base_url, self.api_version, *(quote(part, safe=":") for part in path)))

    def headers(self, key: Key, secret: str) -> Mapping[str, str]:  # noqa: ARG002 - of a protocol
        """Return the headers of a call."""
        return {"x-goog-api-key": secret, **({"api-revision": self.revision} if self.revision else {})}


class ApiCall(msgspec.Struct, frozen=True):
    """One request: where to, what, how many seconds it may take, and the headers of its own."""

    url: str
    body: bytes
    seconds: float
    headers: Mapping[str, str] = {}


class OmniApi:
    """Sends requests with a key. A refused key is read anew, and the request is sent once more: nothing was done."""

    def __init__(self, http: Http, endpoint: InteractionsEndpoint) -> None:
        self._http = http
        self._endpoint = endpoint

    async def submit(self, key: Key, body: bytes) -> Reply:
        """Send an interaction on a connection of its own.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: as `Http.post`.
        """
        call = ApiCall(self.address("interactions"), body, self._http.limits.submit)
        with bounded(SMALL_ANSWER_BYTES):
            return await self._call(self.client(key).post_once, key, call)

    async def interaction(self, key: Key, name: str) -> Reply:
        """Ask about an interaction. The answer may have a video in it.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: as `Http.post`.
        """
        call = ApiCall(self.address("interactions", name), b"", self._http.limits.question)
        return await self._call(self.client(key).get, key, call)

    async def file(self, key: Key, name: str) -> Reply:
        """Ask about a file, named `files/…`.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: as `Http.post`.
        """
        call = ApiCall(self.address(*name.split("/")), b"", self._http.limits.question)
        with bounded(SMALL_ANSWER_BYTES):
            return await self._call(self.client(key).get, key, call)

    async def begin_upload(self, key: Key, body: bytes, *, size: int, mime: str) -> str:
        """Announce a file and return the address that takes it.

        Raises:
            UpstreamBroken: that address lies elsewhere.
            AdapterError: a refusal, or as `Http.post`.
        """
        url = f"{self._endpoint.base_url}/upload/{self._endpoint.api_version}/files"
        announced = {
            "x-goog-upload-protocol": "resumable",
            "x-goog-upload-command": "start",
            "x-goog-upload-header-content-length": str(size),
            "x-goog-upload-header-content-type": mime,
        }
        address = ""

        async def send(url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
            nonlocal address
            reply, address = await self.client(key).post_for_header(
                url, "x-goog-upload-url", headers=headers, body=body, seconds=seconds
            )
            return reply

        with bounded(SMALL_ANSWER_BYTES):
            reply = await self._call(send, key, ApiCall(url, body, self._http.limits.upload, announced))
        if reply.status != 200:
            raise fault(reply)
        if not OwnOrigin(self._endpoint.base_url).has_address(address):
            raise UpstreamBroken("Google names an address for an upload that is not of its configured origin.")
        return address

    async def send_part(self, key: Key, address: str, data: bytes, *, offset: int, is_last: bool) -> Reply:
        """Send bytes of a file, from `offset` on. The address is the permission, so no key goes with them.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: as `Http.post`.
        """
        headers = {
            "content-type": "application/octet-stream",
            "x-goog-upload-command": "upload, finalize" if is_last else "upload",
            "x-goog-upload-offset": str(offset),
        }
        with bounded(SMALL_ANSWER_BYTES):
            return await self.client(key).post(address, headers=headers, body=data, seconds=self._http.limits.upload)

    def client(self, key: Key) -> Http:
        """Return the client for all that is done with a key."""
        return key.client(self._http)

    def address(self, *path: str) -> str:
        """Return the address of something at the API."""
        return self._endpoint.address(*path)

    async def origin(self, key: Key) -> OwnOrigin:
        """Return the configured origin with a key's headers, which no other origin gets."""
        return OwnOrigin(self._endpoint.base_url, {"x-goog-api-key": await key.secret.read()})

    async def _call(self, send: Send, key: Key, call: ApiCall) -> Reply:
        secret = await key.secret.read()
        reply = await self._send(send, call, key, secret)
        if reply.status == 400 and isinstance(fault(reply), UpstreamLocation):
            log.error("upstream.location_refused", provider=self._endpoint.provider, account=key.name)
        refusal = _refusal_of_key(reply)
        if refusal is None:
            return reply
        if refusal.is_known:
            log.error("upstream.credential_denied", provider=self._endpoint.provider, reason=refusal.reason)
            return reply
        another = await renewed(key.secret, secret)
        if another != secret:
            reply = await self._send(send, call, key, another)
        if _refusal_of_key(reply):
            log.error(
                "upstream.credential_refused", provider=self._endpoint.provider, account=key.name, status=reply.status
            )
        return reply

    async def _send(self, send: Send, call: ApiCall, key: Key, secret: str) -> Reply:
        headers = {"content-type": "application/json", **self._endpoint.headers(key, secret), **call.headers}
        return await send(call.url, headers=headers, body=call.body, seconds=call.seconds)


def _refusal_of_key(reply: Reply) -> UpstreamCredential | None:
    found = fault(reply) if reply.status in {400, 401, 403} else None
    return found if isinstance(found, UpstreamCredential) else None
