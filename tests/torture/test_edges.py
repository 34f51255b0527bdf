"""The edges are all there are: a port that gets a method gets edges too, or a test fails."""

from pathlib import Path

import msgspec
import pytest

from adapter.app import Ports
from adapter.domain.ports import ImageMaker, JobStore, MediaStore, Memory, RequestStore, VideoProvider
from adapter.errors import StorageFailed
from adapter.jobs.spool import Spool
from tests.fakes import video_job
from tests.torture.edges import PORTS, Arm, Edged, Script
from tests.torture.nursery import Nursery
from tests.torture.plan import CRITICAL
from tests.torture.runs import enumerate_edges
from tests.torture.stage import Stage

#: Methods that no job meets on its way: they read for somebody else, come once in ten minutes, or are for a client that
#: comes back for pictures which lie on disk. Of two servers each passes `get_many`.
ELSEWHERE = {
    "jobs": {"recent", "needed", "get_many"},
    # A response in the background is not deleted, called off or watched here, and no connection waits for a second.
    "image_jobs": {*PORTS["image_jobs"]} - {"admit", "recall", "release", "claim", "save"},
    "image_makers": set[str](),
    "requests": {"prune", "mark_answered"},
    "media": {"list"},
    # No trial sends a video to work on.
    "flow": {"upload_video"},
    "omni": {"upload_video"},
    "spool": {"close", "release"},
}


@pytest.mark.parametrize(
    ("name", "port"),
    [
        ("jobs", JobStore),
        ("image_jobs", JobStore),
        ("image_makers", ImageMaker),
        ("requests", RequestStore),
        ("media", MediaStore),
        ("flow", VideoProvider),
        ("omni", VideoProvider),
        ("spool", Spool),
    ],
)
def test_every_method_of_a_port_has_edges(name: str, port: type) -> None:
    """Neither one more nor one less."""
    assert {each for each in vars(port) if not each.startswith("_")} == {*PORTS[name]}


def test_every_port_of_the_composition_has_edges() -> None:
    """But for the feed: it carries hints, and losing one loses nothing."""
    parts = {field.name for struct in (Ports, Memory) for field in msgspec.structs.fields(struct)}

    memories = {"memory", "jobs", "image_jobs", "requests", "feed", "media", "spool"}
    assert parts == memories | {"video_providers", "image_makers"}


async def test_the_enumeration_passes_every_method_that_jobs_meet(nursery: Nursery, tmp_path: Path) -> None:
    """So nothing that moves a job is left out of the trials."""
    edges = await Stage(nursery, tmp_path).edges(enumerate_edges)
    passed = {tuple(edge.partition(":")[0].split(".")[:2]) for edge in edges}

    assert {(port, method) for port, methods in PORTS.items() for method in {*methods} - ELSEWHERE[port]} <= passed
    assert {*CRITICAL} <= {*edges}


class Counting:
    """A part of the engine that counts."""

    def __init__(self) -> None:
        self.calls = 0

    async def get(self, job_id: str) -> str:
        self.calls += 1
        return job_id

    async def unheard_of(self) -> None:
        self.calls += 1


@pytest.mark.parametrize(("moment", "calls"), [("before", 1), ("after", 2)])
async def test_a_call_fails_before_or_after_it_was_carried_out(tmp_path: Path, moment: str, calls: int) -> None:
    """The second time, as the arm says, and only then."""
    (tmp_path / "x.arm").write_bytes(msgspec.json.encode(Arm(edge=f"jobs.get:{moment}", do="raise", nth=2)))
    inner = Counting()
    store: JobStore = Edged(inner, "jobs", Script(tmp_path, "x"))  # type: ignore[assignment] # it is any port

    await store.get(video_job().id)
    with pytest.raises(StorageFailed):
        await store.get(video_job().id)

    assert inner.calls == calls
    await store.get(video_job().id)
    assert (tmp_path / "x.edges").read_text().split() == ["jobs.get:before", "jobs.get:after"]


def test_a_method_without_edges_cannot_be_called(tmp_path: Path) -> None:
    """It would be a hole in the proof."""
    with pytest.raises(AttributeError, match="whose edges nobody named"):
        _ = Edged(Counting(), "jobs", Script(tmp_path, "x")).unheard_of
