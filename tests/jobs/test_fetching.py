"""Fetching: a finished video comes home whole, or is fetched again."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from adapter.domain.job import JobState
from adapter.domain.media import RemoteFile, RemoteVideo
from adapter.domain.ports import Finished, Memory
from adapter.errors import NoMedia, UpstreamBroken
from adapter.jobs.fetch import fetch_video
from adapter.jobs.poller import Poller
from adapter.jobs.step_context import StepContext
from adapter.jobs.steps import VideoSteps
from adapter.media.store import open_media
from tests.fakes import CLIP, FakeClock, FakeDownload, FakeVideoProvider, video_job
from tests.jobs.conftest import PACE
from tests.jobs.rounds import POSTER, VIDEO, admit, find, finish, tick


@pytest.mark.parametrize("piece", [1, 3, 11, 12, 13])
async def test_a_video_may_come_in_the_smallest_pieces(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock, piece: int
) -> None:
    """A file is known by its first bytes, however many of them come at once."""
    [job_id] = await admit(memory, clock)
    finish(provider, 1)
    provider.piece = piece
    await tick(poller, clock, 4)

    job = await find(memory, job_id)
    assert job.media is not None
    assert job.media.size == len(CLIP)


async def test_fetching_again_leaves_no_copies(provider: FakeVideoProvider, tmp_path: Path) -> None:
    """A job's files have the same names at every try."""
    finish(provider, 1)
    media = open_media(f"file://{tmp_path}")
    job = msgspec.structs.replace(video_job(), remote=RemoteVideo(VIDEO, POSTER))
    first, second = [await fetch_video(job, provider, media) for _ in range(2)]

    assert first == second
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([first.video, str(first.poster)])


async def test_an_expired_link_is_asked_for_again(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """The provider signs a fresh one with every status answer."""
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    provider.reports["op-1"] = Finished(RemoteVideo("https://storage/expired"))
    await tick(poller, clock, 4)
    assert (await find(memory, job_id)).media is None

    finish(provider, 1)
    await tick(poller, clock, 20)

    assert (await find(memory, job_id)).state is JobState.COMPLETED


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (CLIP[:-1], len(CLIP)),
        (CLIP, None),
        (b"<html>sorry</html>", 18),
        (b"", 0),
        (CLIP, len(CLIP) - 1),
        (CLIP[:-1], len(CLIP) - 1),  # half a file, announced as a whole one
    ],
)
async def test_a_file_that_is_not_the_whole_video_is_not_served(
    poller: Poller,
    memory: Memory,
    provider: FakeVideoProvider,
    clock: FakeClock,
    data: bytes,
    length: int | None,
) -> None:
    """Cut, of unknown length, or something else: it is fetched again until it is right."""
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    finish(provider, 1)
    provider.files[VIDEO], provider.lengths[VIDEO] = data, length
    await tick(poller, clock, 6)
    assert (await find(memory, job_id)).state in {JobState.READY, JobState.SUBMITTED}

    provider.files[VIDEO], provider.lengths[VIDEO] = CLIP, len(CLIP)
    await tick(poller, clock, 20)

    assert (await find(memory, job_id)).state is JobState.COMPLETED


@pytest.mark.parametrize("poster", [None, b"<html>"])
async def test_a_video_without_a_poster_is_still_a_video(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock, poster: bytes | None
) -> None:
    """The poster is an ornament."""
    [job_id] = await admit(memory, clock)
    finish(provider, 1)
    if poster is None:
        del provider.files[POSTER]
    else:
        provider.files[POSTER] = poster
    await tick(poller, clock, 4)

    job = await find(memory, job_id)
    assert job.media is not None
    assert (job.state, job.media.poster) == (JobState.COMPLETED, None)


async def test_a_video_without_a_link_is_asked_for_by_its_name(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """With the account that submitted it; there is no poster then."""
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    provider.files["m1"] = CLIP
    provider.reports["op-1"] = Finished(RemoteVideo(name="m1"))
    await tick(poller, clock, 4)

    job = await find(memory, job_id)
    assert job.media is not None
    assert (job.state, job.media.size, job.media.poster) == (JobState.COMPLETED, len(CLIP), None)
    assert provider.downloads == [("first", RemoteFile(name="m1"))]


async def test_a_video_that_is_not_handed_out_is_asked_for_again(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """It may be, later."""
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    finish(provider, 1)
    provider.fail_download = NoMedia("It is not handed out.")
    await tick(poller, clock, 60)
    assert (await find(memory, job_id)).state is JobState.SUBMITTED

    provider.fail_download = None
    await tick(poller, clock, 70)
    assert (await find(memory, job_id)).state is JobState.COMPLETED


async def test_a_video_that_is_never_handed_out_ends_with_the_reason(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """After eleven tries, as a success without a video does; it was paid for, so the client's SDK leaves it."""
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    finish(provider, 1)
    provider.fail_download = NoMedia("It is not handed out: no.")
    await tick(poller, clock, 700)

    failure = (await find(memory, job_id)).failure
    assert failure is not None
    assert (failure.message, failure.code, failure.should_retry) == (
        "It is not handed out: no.",
        "no_media_generated",
        False,
    )
    assert len(provider.downloads) == 11


async def test_a_video_that_cannot_be_fetched_in_time_is_not_called_unfinished(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Its reader is told that it was made."""
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    finish(provider, 1)
    provider.fail_download = UpstreamBroken("500")
    await tick(poller, clock, 900)

    failure = (await find(memory, job_id)).failure
    assert failure is not None
    assert failure.code == "deadline_exceeded"
    assert failure.message.startswith("Google made the video, but it could not be fetched within ")


async def test_a_video_that_comes_with_the_report_is_stored_at_once(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Nothing is left to be downloaded."""
    [job_id] = await admit(memory, clock)
    provider.reports = {"op-1": Finished(RemoteVideo(), CLIP)}
    await tick(poller, clock, 2)

    job = await find(memory, job_id)
    assert (job.state, job.media and job.media.size, provider.downloads) == (JobState.COMPLETED, len(CLIP), [])


async def test_a_report_with_half_a_video_is_a_missed_poll(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """The next one may bring all of it; the money is spent."""
    [job_id] = await admit(memory, clock)
    provider.reports = {"op-1": Finished(RemoteVideo(), CLIP[: len(CLIP) // 2])}
    await tick(poller, clock, 2)
    halved = await find(memory, job_id)
    provider.reports = {"op-1": Finished(RemoteVideo(), CLIP)}
    await tick(poller, clock, 3)

    assert (halved.state, halved.misses) == (JobState.SUBMITTED, 1)
    assert (await find(memory, job_id)).state is JobState.COMPLETED


class Endless(FakeVideoProvider):
    """Hands over files without an end, whatever length it announces."""

    def __init__(self, length: int | None) -> None:
        super().__init__()
        self.sent = 0
        self._length = length

    def download_of(self, place: str) -> FakeDownload:  # noqa: ARG002 - every file is the same
        return EndlessDownload(self, self._length)


class EndlessDownload(FakeDownload):
    """The head of an MP4, a box of 2^40 bytes, and zeros for ever."""

    def __init__(self, provider: Endless, length: int | None) -> None:
        super().__init__(CLIP, length, 4096)
        self._provider = provider

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield CLIP[: int.from_bytes(CLIP[:4])]
        yield b"\x00\x00\x00\x01mdat" + (2**40).to_bytes(8)
        while True:
            self._provider.sent += 4096
            yield bytes(4096)


@pytest.mark.parametrize("length", [None, len(CLIP), 2**40])
async def test_a_file_without_an_end_stops_at_the_limit(length: int | None, tmp_path: Path) -> None:
    """Nothing of it is left in the folder."""
    provider = Endless(length)
    finish(provider, 1)
    media = open_media(f"file://{tmp_path}")
    job = msgspec.structs.replace(video_job(), remote=RemoteVideo(VIDEO))
    with pytest.raises(NoMedia, match=r"longer than the 1000000 bytes that this server stores\. It was paid for\."):
        await fetch_video(job, provider, media, longest=1_000_000)

    assert provider.sent <= 1_004_096
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("longest", "is_stored"), [(len(CLIP), True), (len(CLIP) - 1, False)])
async def test_a_video_may_be_as_long_as_the_limit(
    provider: FakeVideoProvider, longest: int, *, is_stored: bool
) -> None:
    """And not a byte longer."""
    finish(provider, 1)
    media = open_media("memory://")
    job = msgspec.structs.replace(video_job(), remote=RemoteVideo(VIDEO))
    try:
        stored = await fetch_video(job, provider, media, longest=longest)
    except NoMedia:
        assert not is_stored
    else:
        assert is_stored
        assert await media.find(stored.video)


@pytest.mark.parametrize("is_inline", [False, True])
async def test_a_video_that_is_too_long_ends_its_job_with_a_clear_error(
    memory: Memory, provider: FakeVideoProvider, clock: FakeClock, *, is_inline: bool
) -> None:
    """As a video that is not handed over: looked at a few times, then it is paid for and lost."""
    steps = VideoSteps(
        StepContext(
            providers={"fake": provider.at(clock)},
            memory=memory,
            clock=clock,
            schedule=PACE,
            longest_video=len(CLIP) - 1,
        )
    )
    poller = Poller(memory.jobs, steps, clock=clock, schedule=PACE)
    [job_id] = await admit(memory, clock)
    finish(provider, 1)
    if is_inline:
        provider.reports["op-1"] = Finished(RemoteVideo(), CLIP)
    await tick(poller, clock, 700)

    job = await find(memory, job_id)
    assert job.state is JobState.FAILED
    assert job.failure is not None
    assert (job.failure.code, job.failure.should_retry) == ("video_too_long", False)
    assert [page async for page in memory.media.list()] in ([], [[]])
