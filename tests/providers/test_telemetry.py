"""Usage and metrics: each execution is seen once, whatever route it came by."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import openai
import pytest
from sqlalchemy import Connection, func, select

from adapter.database.tables import JOBS
from adapter.domain.finished_work import FinishedWork
from adapter.domain.spending import Spending
from adapter.domain.telemetry import Telemetry
from adapter.errors import UpstreamQuota
from tests.toy_provider import connected

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*Inferred:litestar.exceptions.LitestarDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning"),
]


class Recorder:
    """Writes down what it is told (both ports)."""

    def __init__(self) -> None:
        self.spent: list[Spending] = []
        self.works: list[FinishedWork] = []
        #: How many jobs the transaction of each saw.
        self.jobs_seen: list[int | None] = []
        self.observed: list[tuple[str, Mapping[str, str]]] = []
        self.refuses = False

    async def record(self, spending: Spending) -> None:
        self._note(spending, None)

    def record_in(self, transaction: object, spending: Spending) -> None:
        assert isinstance(transaction, Connection)
        self._note(spending, transaction.execute(select(func.count()).select_from(JOBS)).scalar_one())

    async def finished(self, work: FinishedWork) -> None:
        self.works.append(work)

    def finished_in(self, transaction: object, works: Sequence[FinishedWork]) -> None:
        assert isinstance(transaction, Connection)
        self.works += works

    def _note(self, spending: Spending, jobs: int | None) -> None:
        if self.refuses:
            raise UpstreamQuota("The budget of this key is used up.")
        self.spent.append(spending)
        self.jobs_seen.append(jobs)

    def count(self, name: str, labels: Mapping[str, str], amount: float = 1.0) -> None:
        assert amount >= 0
        self.observed.append((name, labels))

    def observe(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        assert value >= 0
        self.observed.append((name, labels))

    def executions(self) -> list[Mapping[str, str]]:
        return [labels for name, labels in self.observed if name == "execution_seconds"]


async def test_each_execution_is_recorded_once(toy: ModuleType, config: Path) -> None:
    """Two pictures, a chat, a video: by the owner, the key, the model and its units."""
    recorder = Recorder()
    async with connected(toy, config, Telemetry(usage=recorder, metrics=recorder)) as client:
        await client.images.generate(model="toy-fox", prompt="a fox", n=2)
        await client.chat.completions.create(model="toy-fox", messages=[{"role": "user", "content": "a fox"}])
        await client.videos.create_and_poll(model="toy-waves", prompt="waves", poll_interval_ms=20)

    assert [(each.model, each.provider, each.kind, each.units) for each in recorder.spent] == [
        ("toy-fox", "toy", "image", 2),
        ("toy-fox", "toy", "image", 1),
        ("toy-waves", "toy", "video", 4),
    ]
    [(owner, key)] = {(each.owner, each.key) for each in recorder.spent}
    assert len(owner) == 64
    assert key is not None
    assert key.startswith("plain:")
    assert "sk-toy" not in key


async def test_a_video_is_recorded_in_the_transaction_that_accepts_it(toy: ModuleType, config: Path) -> None:
    """The open transaction has the job; pictures that a client waits for have none."""
    recorder = Recorder()
    async with connected(toy, config, Telemetry(usage=recorder)) as client:
        await client.images.generate(model="toy-fox", prompt="a fox")
        await client.videos.create(model="toy-waves", prompt="waves")

    assert recorder.jobs_seen == [None, 1]


async def test_a_retry_that_is_joined_spends_nothing(toy: ModuleType, config: Path) -> None:
    """One key, one execution."""
    recorder, headers = Recorder(), {"idempotency-key": "one"}
    async with connected(toy, config, Telemetry(usage=recorder)) as client:
        for _ in range(2):
            await client.images.generate(model="toy-fox", prompt="a fox", extra_headers=headers)
            await client.videos.create(model="toy-waves", prompt="waves", extra_headers=headers)

    assert [each.kind for each in recorder.spent] == ["image", "video"]


async def test_what_is_not_allowed_is_not_accepted(toy: ModuleType, config: Path) -> None:
    """Nothing is made, and no job is left."""
    recorder = Recorder()
    recorder.refuses = True
    async with connected(toy, config, Telemetry(usage=recorder, metrics=recorder)) as client:
        with pytest.raises(openai.RateLimitError, match="budget"):
            await client.images.generate(model="toy-fox", prompt="a fox")
        with pytest.raises(openai.RateLimitError, match="budget"):
            await client.videos.create(model="toy-waves", prompt="waves")

        assert [video async for video in client.videos.list()] == []
    assert recorder.executions() == []


PRICED = """
[[video.prices]]
since = 2000-01-01
source = "a test"
second = { 720p = 0.07 }
"""


async def test_the_price_list_tells_what_an_execution_costs(toy: ModuleType, config: Path) -> None:
    """A budget hears it before the work is accepted, the client with the video. An unknown price is no 0."""
    models, recorder = config.parent / "models.toml", Recorder()
    models.write_text(f"{models.read_text()}{PRICED}")
    async with connected(toy, config, Telemetry(usage=recorder)) as client:
        await client.images.generate(model="toy-fox", prompt="a fox", n=2)
        made = await client.videos.create_and_poll(model="toy-waves", prompt="waves", poll_interval_ms=20)
        again = await client.videos.remix(made.id, prompt="more waves")

    assert [each.cost and str(each.cost) for each in recorder.spent] == [None, "0.28 USD", "0.28 USD"]
    assert (made.model_extra or {})["usage"] == (again.model_extra or {})["usage"] == {"cost": 0.28}


async def test_requests_and_executions_are_measured(toy: ModuleType, config: Path) -> None:
    """With their outcome."""
    recorder = Recorder()
    async with connected(toy, config, Telemetry(metrics=recorder)) as client:
        await client.images.generate(model="toy-fox", prompt="a fox")
        await client.videos.create_and_poll(model="toy-waves", prompt="waves", poll_interval_ms=20)
        with pytest.raises(openai.NotFoundError):
            await client.videos.retrieve("video_0")

    assert [(each["kind"], each["model"], each["outcome"]) for each in recorder.executions()] == [
        ("image", "toy-fox", "completed"),
        ("video", "toy-waves", "completed"),
    ]
    requests = [labels for name, labels in recorder.observed if name == "request_seconds"]
    assert requests[0] == {"route": "", "method": "POST", "status": "200"}
    assert requests[-1] == {"route": "", "method": "GET", "status": "404"}
