"""HTTP to one server: an answer as a whole, or as it comes. It follows no redirect and reads no proxy settings."""

import re
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

import httpcore
import msgspec

from adapter.client.failures import ConnectionLost, NotReached
from adapter.version import VERSION

#: Seconds for a connection, and for a piece of a request to be taken.
CONNECT_SECONDS: Final = 10.0
WRITE_SECONDS: Final = 60.0


class ServerAnswer(msgspec.Struct, frozen=True):
    """An answer. The names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request to a server."""

    method: str
    #: From `/v1` on.
    path: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    #: Seconds without a byte of the answer.
    silent_seconds: float = 60.0


class ServerConnection:
    """Connections to the server at `base`, which is an address without `/v1`. The key goes to this server only."""

    def __init__(self, base: str, key: str | None) -> None:
        self.base = base
        self._headers = {
            "host": base.partition("://")[2].partition("/")[0],  # httpcore leaves out the brackets of IPv6
            "accept-encoding": "identity",
            "user-agent": f"adapter-client/{VERSION}",
        }
        if key:
            self._headers["authorization"] = f"Bearer {key}"
        # The certificates of the system; httpcore by itself would take those of certifi.
        context = ssl.create_default_context() if base.startswith("https:") else None
        self._pool = httpcore.ConnectionPool(ssl_context=context, keepalive_expiry=2.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()

    def ask(self, request: HttpRequest) -> ServerAnswer:
        """Return an answer with its whole body.

        Raises:
            NotReached: there is no connection.
            ConnectionLost: it broke, or nothing came in time.
        """
        with self.open(request) as (answer, pieces):
            return msgspec.structs.replace(answer, body=b"".join(pieces))

    @contextmanager
    def open(self, request: HttpRequest) -> Iterator[tuple[ServerAnswer, Iterable[bytes]]]:
        """Give an answer without its body, and its body as it comes."""
        silent = {"connect": CONNECT_SECONDS, "read": request.silent_seconds, "write": WRITE_SECONDS}
        with (
            self._named(),
            self._pool.stream(
                request.method,
                f"{self.base}{request.path}",
                headers=list((self._headers | dict(request.headers)).items()),
                content=request.body,
                extensions={"timeout": silent},
            ) as response,
        ):
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            yield ServerAnswer(response.status, headers), response.iter_stream()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            raise NotReached(f"There is no connection to {self.base}: {_reason(error)}.") from error
        except httpcore.TimeoutException as error:
            raise ConnectionLost(f"{self.base} sent nothing for too long.") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise ConnectionLost(f"The connection to {self.base} broke.") from error


def _reason(error: Exception) -> str:
    """Return the operating system's words without its number."""
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or "it does not answer"
