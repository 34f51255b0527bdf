"""Wrong keys over HTTP: what a client hears, and whose address counts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

from adapter.app import create_app
from adapter.connection_table import ConnectionTable
from adapter.serving import server_config
from adapter.settings import Limits, Server, Storage
from tests.fakes import FakeClock
from tests.support import CONFIG, catalogue

#: Litestar 3 wants its dependencies marked; the locks have 2.
pytestmark = pytest.mark.filterwarnings("ignore:.*Inferred:litestar.exceptions.LitestarDeprecationWarning")

#: Public: those for documentation count as private.
ADDRESS = "8.8.8.8"
PER_MINUTE = 6
PROXY = "10.1.2.3"


@asynccontextmanager
async def asking(folder: Path, address: str, *trusted: str) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client at this address of an adapter with so many trusted proxies."""
    settings = msgspec.structs.replace(
        CONFIG,
        server=Server(trusted_proxies=trusted),
        limits=Limits(failed_keys_per_minute=PER_MINUTE),
        storage=Storage(database=f"sqlite:///{folder}/jobs.db", media=f"file://{folder}/media"),
    )
    app = create_app(settings, catalogue(), clock=FakeClock())
    server = server_config(settings, app, ConnectionTable())
    server.load()
    transport = httpx.ASGITransport(server.loaded_app, client=(address, 1))
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        yield client


async def status(client: httpx.AsyncClient, key: str, client_address: str | None = None) -> int:
    """Return the status of a request with a key, that a proxy passed on."""
    headers = {"authorization": f"Bearer {key}"}
    if client_address is not None:
        headers["x-forwarded-for"] = client_address
    return (await client.get("/v1/models", headers=headers)).status_code


async def test_too_many_wrong_keys_are_answered_in_openais_form(tmp_path: Path) -> None:
    """With the time to wait, and a right key beside them is let in."""
    async with asking(tmp_path, ADDRESS) as client:
        for _ in range(PER_MINUTE):
            assert await status(client, "wrong") == 401
        refusal = await client.get("/v1/models", headers={"authorization": "Bearer wrong"})

        assert refusal.status_code == 429
        assert refusal.headers["retry-after"] == "10"
        assert refusal.json()["error"]["code"] == "rate_limit_exceeded"
        assert await status(client, "sk-sandbox") == 200


@pytest.mark.parametrize(
    ("address", "forwarded", "trusted", "is_limited"),
    [
        (PROXY, None, [], True),
        (PROXY, ADDRESS, [], False),
        (ADDRESS, "198.51.100.1", [], True),
        (PROXY, ADDRESS, [PROXY], True),
    ],
    ids=["a direct client", "a proxy that is not trusted", "a client that claims to be a proxy", "a trusted proxy"],
)
async def test_the_failures_behind_an_unknown_proxy_are_not_counted(
    tmp_path: Path, address: str, forwarded: str | None, trusted: list[str], is_limited: bool
) -> None:
    """An unknown one has a private address and names its client. That of a trusted one's client is counted."""
    async with asking(tmp_path, address, *trusted) as client:
        statuses = [await status(client, "wrong", forwarded) for _ in range(PER_MINUTE + 1)]

        assert statuses == [401] * PER_MINUTE + [429 if is_limited else 401]
        if trusted:
            assert await status(client, "wrong", "198.51.100.1") == 401
