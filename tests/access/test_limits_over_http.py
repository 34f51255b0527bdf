"""Limits of keys over HTTP: what a client hears, in OpenAI's form and in Google's."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import msgspec
import pytest

from adapter.app import Ports, create_app
from adapter.domain.media import Image
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import Work
from adapter.errors import AdapterError, ContentRefused, UpstreamBroken
from adapter.settings import AccessSettings, Chat, KeySettings, Settings, Storage
from tests.fakes import FakeClock, FakeVideoProvider, made_image
from tests.support import CONFIG, catalogue

#: Litestar 3 wants its dependencies marked; the locks have 2.
pytestmark = pytest.mark.filterwarnings("ignore:.*Inferred:litestar.exceptions.LitestarDeprecationWarning")

NOON = datetime(2026, 11, 30, 12, 0, 30, tzinfo=UTC).timestamp()
GEMINI = "gemini-3.1-flash-image"


class Maker:
    """Makes pictures, or refuses."""

    def __init__(self) -> None:
        self.calls = 0
        self.refuse: AdapterError | None = None

    async def make_images(self, order: ImageOrder, work: Work) -> Sequence[Image]:
        assert work.owner
        self.calls += 1
        if self.refuse is not None:
            raise self.refuse
        return [made_image() for _ in range(order.n)]


class Door:
    """A client of an adapter whose keys have limits."""

    def __init__(self, http: httpx.AsyncClient, maker: Maker) -> None:
        self.maker = maker
        self._http = http

    async def post(self, path: str, key: str, body: object, **headers: str) -> httpx.Response:
        """Send a body with a key."""
        return await self._http.post(path, json=body, headers={"authorization": f"Bearer {key}", **headers})

    async def get(self, path: str, key: str) -> httpx.Response:
        """Ask with a key."""
        return await self._http.get(path, headers={"authorization": f"Bearer {key}"})

    async def draw(self, key: str, n: int = 1, model: str = GEMINI, retry_key: str = "") -> httpx.Response:
        """Ask for pictures."""
        headers = {"idempotency-key": retry_key} if retry_key else {}
        body = {"model": model, "prompt": "a fox", "n": n}
        return await self.post("/v1/images/generations", key, body, **headers)


@asynccontextmanager
async def door(folder: Path, chat: Chat = CONFIG.chat, **keys: KeySettings) -> AsyncIterator[Door]:
    """Yield a client of an adapter with these keys. A key is its name."""
    maker = Maker()
    settings: Settings = msgspec.structs.replace(
        CONFIG,
        access=AccessSettings(
            keys={name: msgspec.structs.replace(key, key=f"plain:{name}") for name, key in keys.items()}
        ),
        storage=Storage(database=f"sqlite:///{folder}/jobs.db", media=f"file://{folder}/media"),
        jobs=msgspec.structs.replace(CONFIG.jobs, spool=""),
        chat=chat,
    )

    def override(ports: Ports) -> Ports:
        makers = dict.fromkeys(ports.image_makers, maker)
        videos = dict.fromkeys(ports.video_providers, FakeVideoProvider())
        return msgspec.structs.replace(ports, image_makers=makers, video_providers=videos)

    app = create_app(settings, catalogue(), clock=FakeClock(NOON), override=override)
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type] # litestar's types of ASGI are its own
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://here") as http:
        yield Door(http, maker)


def key(**limits: object) -> KeySettings:
    """Return a key of the configuration."""
    return msgspec.convert({"key": "-", **limits}, KeySettings)


async def test_pictures_beyond_the_limit_of_a_day_are_refused(tmp_path: Path) -> None:
    """The answer names the limit and its reset. Another key goes on."""
    async with door(tmp_path, ada=key(images_per_day=3), ben=key()) as client:
        first, second = await client.draw("ada", 2), await client.draw("ada", 2)
        other, last = await client.draw("ben", 4), await client.draw("ada")

    assert [each.status_code for each in (first, second, other, last)] == [200, 429, 200, 200]
    assert second.json()["error"] == {
        "message": "This key may have 3 images in a day. 2 images are taken, and this request wants 2 images. "
        "The limit is reset at 2026-12-01 00:00 UTC.",
        "type": "insufficient_quota",
        "code": "insufficient_quota",
        "param": None,
    }
    assert (second.headers["retry-after"], second.headers["x-should-retry"]) == ("60", "false")
    assert client.maker.calls == 3


async def test_too_many_requests_in_a_minute_are_refused(tmp_path: Path) -> None:
    """Also in a stream, with an HTTP status. Reading is free."""
    async with door(tmp_path, ada=key(rpm=1)) as client:
        await client.draw("ada")
        refused = await client.draw("ada")
        body = {"model": GEMINI, "stream": True, "messages": [{"role": "user", "content": "a fox"}]}
        stream = await client.post("/v1/chat/completions", "ada", body)
        listed = await client.get("/v1/models", "ada")

    assert (refused.status_code, stream.status_code, listed.status_code) == (429, 429, 200)
    assert refused.json()["error"]["code"] == stream.json()["error"]["code"] == "rate_limit_exceeded"
    assert (refused.headers["retry-after"], refused.headers["x-should-retry"]) == ("30", "true")


def left(answer: httpx.Response, kind: str = "requests") -> tuple[str | None, ...]:
    """Return what the headers of an answer say of a limit."""
    return tuple(answer.headers.get(f"x-ratelimit-{part}-{kind}") for part in ("limit", "remaining", "reset"))


async def test_every_answer_says_what_is_left_of_the_limits(tmp_path: Path) -> None:
    """Of pictures, of a list, of refusals, in Google's form too; keys without limits hear nothing."""
    async with door(tmp_path, ada=key(rpm=2, images_per_day=5), ben=key(models=["gemini-*"])) as client:
        made, listed = await client.draw("ada", 2), await client.get("/v1/models", "ada")
        body = {"model": GEMINI, "stream": True, "messages": [{"role": "user", "content": "a fox"}]}
        stream = await client.post("/v1/chat/completions", "ada", body)
        refused, wrong = await client.draw("ada"), await client.draw("ada", model="nothing")
        native = await client.get("/v1beta/models", "ada")
        plain = await client.draw("ben")

    assert [left(each) for each in (made, listed, stream, refused, wrong, native)] == [
        *[("2", "1", "30s")] * 2,
        *[("2", "0", "30s")] * 4,
    ]
    assert (left(made, "images"), left(refused, "images")) == (("5", "3", "11h59m30s"), ("5", "2", "11h59m30s"))
    assert left(plain) == left(plain, "images") == (None, None, None)
    assert "x-ratelimit-remaining-requests" in made.headers["access-control-expose-headers"]


async def test_what_is_given_back_is_left_again(tmp_path: Path) -> None:
    """The next answer says so."""
    async with door(tmp_path, ada=key(images_per_day=5)) as client:
        client.maker.refuse = ContentRefused("no")
        await client.draw("ada", 2)
        listed = await client.get("/v1/models", "ada")

    assert left(listed, "images")[:2] == ("5", "5")


async def test_googles_clients_hear_of_a_limit_in_googles_words(tmp_path: Path) -> None:
    """A daily limit says that waiting a minute does not help."""
    body = {"contents": [{"parts": [{"text": "a fox"}]}]}
    path = f"/v1beta/models/{GEMINI}:generateContent"
    async with door(
        tmp_path,
        ada=key(images_per_day=1),
        ben=key(rpm=1),
        eve=key(expires=date(2026, 11, 29)),
        kim=key(models=["veo*"]),
    ) as client:
        for name in ("ada", "ben"):
            await client.post(path, name, body)
        refused = {name: await client.post(path, name, body) for name in ("ada", "ben", "eve", "kim")}

    found = {name: answer.json()["error"] for name, answer in refused.items()}
    assert {name: (each["code"], each["status"]) for name, each in found.items()} == {
        "ada": (429, "RESOURCE_EXHAUSTED"),
        "ben": (429, "RESOURCE_EXHAUSTED"),
        "eve": (400, "INVALID_ARGUMENT"),
        "kim": (403, "PERMISSION_DENIED"),
    }
    assert found["ada"]["details"][0]["violations"][0]["quotaId"] == "KeyLimitPerDay"
    assert found["ben"]["details"][-1]["retryDelay"] == "30s"
    assert (found["eve"]["message"], found["eve"]["details"][0]["reason"]) == (
        "API key expired. Please renew the API key.",
        "API_KEY_INVALID",
    )


@pytest.mark.parametrize(("fault", "status"), [(ContentRefused("no"), 200), (UpstreamBroken("cut"), 429)])
async def test_only_what_cost_nothing_is_given_back(tmp_path: Path, fault: AdapterError, status: int) -> None:
    """A cut answer may be paid for."""
    async with door(tmp_path, ada=key(images_per_day=1)) as client:
        client.maker.refuse = fault
        await client.draw("ada")
        client.maker.refuse = None
        again = await client.draw("ada", model="gemini-2.5-flash-image")

    assert again.status_code == status


async def test_a_budget_takes_what_pictures_cost(tmp_path: Path) -> None:
    """One picture of this model costs 0.067 USD. Without a price in dollars there is a refusal that says so."""
    async with door(tmp_path, ada=key(budget="0.10USD/day")) as client:
        found = [await client.draw("ada") for _ in range(2)]
        unpriced = await client.draw("ada", model="flow-gem-pix")

    assert [each.status_code for each in found] == [200, 429]
    assert "This key may have 0.1 USD in a day." in found[1].json()["error"]["message"]
    assert (unpriced.status_code, unpriced.json()["error"]["code"]) == (403, "cost_unknown")
    assert "what it costs is not known" in unpriced.json()["error"]["message"]


async def test_a_repetition_counts_once(tmp_path: Path) -> None:
    """With an `Idempotency-Key`; as a retry of an SDK; also after its limit is used up."""
    async with door(tmp_path, ada=key(images_per_day=1)) as client:
        pictures = [await client.draw("ada", retry_key="one") for _ in range(3)]
        other = await client.draw("ada")

    assert [each.status_code for each in (*pictures, other)] == [200, 200, 200, 429]


async def test_a_key_uses_the_models_that_it_is_allowed(tmp_path: Path) -> None:
    """No list shows others. OpenAI's word for a project without access is a 403 with this code."""
    async with door(tmp_path, ada=key(models=["gemini-3*-image", "sora-2"])) as client:
        listed = [each["id"] for each in (await client.get("/v1/models?all=true", "ada")).json()["data"]]
        native = (await client.get("/v1beta/models", "ada")).json()["models"]
        refused = await client.draw("ada", model="gemini-2.5-flash-image")
        looked_up, alias = [await client.get(f"/v1/models/{name}", "ada") for name in ("flow-gem-pix", "sora-2")]
        unknown = await client.draw("ada", model="nothing")
        made = await client.draw("ada", model="gemini-3-pro-image-portrait")

    assert {"gemini-3-pro-image", "gemini-3-pro-image-portrait", "gemini-3.1-flash-image"} <= {*listed}
    assert not any("flow" in name or "veo" in name or "2.5" in name for name in listed)
    assert all(each["name"].startswith("models/gemini-3") for each in native)
    assert (refused.status_code, looked_up.status_code, unknown.status_code, made.status_code) == (403, 403, 404, 200)
    assert alias.status_code == 200
    error = refused.json()["error"]
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "model_not_found", "model")
    assert error["message"] == (
        "This key does not have access to the model 'gemini-2.5-flash-image'. It may use: "
        "gemini-3-pro-image, gemini-3.1-flash-image, gemini-3.1-flash-lite-image."
    )
    assert "flow" not in unknown.json()["error"]["message"]


async def test_an_administrators_key_opens_what_is_of_all_beside_its_own(tmp_path: Path) -> None:
    """Until it expires. Another key is told what it lacks."""
    ada, ben = key(admin=True, images_per_day=1), key(admin=True, expires=date(2026, 11, 29))
    async with door(tmp_path, ada=ada, ben=ben, cleo=key()) as client:
        pictures = [await client.draw("ada") for _ in range(2)]
        costs = [await client.get("/v1/organization/costs?start_time=0", name) for name in ("ada", "ben", "cleo")]
        accounts = await client.get("/v1/organization/accounts", "ada")

    assert [each.status_code for each in pictures] == [200, 429]
    assert [each.status_code for each in costs] == [200, 401, 403]
    assert (costs[0].json()["object"], accounts.status_code) == ("page", 200)
    assert costs[2].json()["error"]["code"] == "insufficient_permissions"
    assert "--admin" in costs[2].json()["error"]["message"]


async def test_an_expired_key_says_so(tmp_path: Path) -> None:
    """On the day after its last day."""
    async with door(tmp_path, ada=key(expires=date(2026, 11, 29)), ben=key(expires=date(2026, 11, 30))) as client:
        expired, valid = await client.get("/v1/models", "ada"), await client.get("/v1/models", "ben")

    assert (expired.status_code, valid.status_code) == (401, 200)
    error = expired.json()["error"]
    assert (error["code"], error["type"]) == ("api_key_expired", "authentication_error")
    assert error["message"].startswith("This API key expired at 2026-11-30 00:00 UTC.")


TITLE = "Provide a concise, 5-word-or-less title for the conversation.\n\nConversation:\nUser: a fox\nAI: here"


async def test_a_key_has_settings_of_its_own(tmp_path: Path) -> None:
    """How pictures are handed over, and what becomes of side calls, whatever the configuration says for others."""
    body = {"model": GEMINI, "messages": [{"role": "user", "content": TITLE}]}
    generating = msgspec.structs.replace(CONFIG.chat, side_calls="generate")
    async with door(
        tmp_path,
        generating,
        ada=key(response_format="url", side_calls="answer"),
        ben=key(side_calls="refuse"),
        eve=key(),
    ) as client:
        link, whole = await client.draw("ada"), await client.draw("eve")
        calls = client.maker.calls
        answers = {name: await client.post("/v1/chat/completions", name, body) for name in ("ada", "ben", "eve")}

    assert (set(link.json()["data"][0]) & {"url", "b64_json"}, "b64_json" in whole.json()["data"][0]) == ({"url"}, True)
    assert {name: each.status_code for name, each in answers.items()} == {"ada": 200, "ben": 400, "eve": 200}
    assert client.maker.calls - calls == 1
