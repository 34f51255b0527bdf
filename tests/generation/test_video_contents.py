"""What a finished video has to show: found, or made once."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from adapter.domain.job import Failed, Failure, Stored, StoredVideo, Variant, VideoJob, advance
from adapter.domain.ports import Memory
from adapter.errors import ContentRefused, FileDamaged, NotFound, UpstreamBroken
from adapter.generation.video_contents import VideoContents
from tests.fakes import rendered_job, video_job

MEDIA = StoredVideo(video="a.mp4", poster=None, size=4, sha256="00")


class FakeCuttingRoom:
    """Makes what it is told to, when it is told to; notes what it was asked for."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.free = asyncio.Event()
        self.free.set()
        self.fault: UpstreamBroken | None = None
        self.nothing = False

    async def thumbnail(self, media: StoredVideo) -> bytes | None:
        return await self._make(f"thumbnail of {media.video}")

    async def spritesheet(self, media: StoredVideo) -> bytes | None:
        return await self._make(f"spritesheet of {media.video}")

    async def _make(self, name: str) -> bytes | None:
        self.made.append(name)
        await self.free.wait()
        if self.fault is not None:
            raise self.fault
        return None if self.nothing else name.encode()


@pytest.fixture
def room() -> FakeCuttingRoom:
    """Whoever makes pictures of videos."""
    return FakeCuttingRoom()


@pytest.fixture
def contents(memory: Memory, room: FakeCuttingRoom) -> VideoContents:
    """The use case."""
    return VideoContents(memory, room)


@pytest.fixture
async def job(memory: Memory) -> VideoJob:
    """A finished job with its file."""
    job = advance(rendered_job(), Stored(MEDIA, 1010.0))
    await memory.jobs.admit(job, now=1000.0)
    await memory.media.put(MEDIA.video, once(b"film"))
    return job


async def once(data: bytes) -> AsyncIterator[bytes]:
    """Yield a file in one piece."""
    yield data


async def stored(memory: Memory) -> dict[str, bytes]:
    """Return every file."""
    return {
        file.name: b"".join([part async for part in memory.media.read(file.name, 0, file.size)])
        async for page in memory.media.list()
        for file in page
    }


async def test_the_video_is_there(contents: VideoContents, job: VideoJob) -> None:
    """Nothing has to be made."""
    assert (await contents.find(job, Variant.VIDEO)).name == "a.mp4"


async def test_a_video_that_is_shorter_than_it_was_is_an_error(
    contents: VideoContents, memory: Memory, job: VideoJob
) -> None:
    """It is not sent as if it were whole."""
    await memory.media.put(MEDIA.video, once(b"fil"))

    with pytest.raises(FileDamaged):
        await contents.find(job, Variant.VIDEO)


@pytest.mark.parametrize(
    ("variant", "name"), [(Variant.THUMBNAIL, "_thumbnail.webp"), (Variant.SPRITESHEET, "_spritesheet.jpg")]
)
async def test_a_picture_is_made_once_and_kept(
    contents: VideoContents, memory: Memory, room: FakeCuttingRoom, job: VideoJob, variant: Variant, name: str
) -> None:
    """Under a name that goes with the job."""
    names = [(await contents.find(job, variant)).name for _ in range(2)]

    assert names == [f"{job.stem}{name}"] * 2
    assert names[0] in job.files
    assert room.made == [f"{variant} of a.mp4"]
    assert (await stored(memory))[names[0]] == f"{variant} of a.mp4".encode()


async def test_two_who_ask_at_once_cost_one_picture(
    contents: VideoContents, room: FakeCuttingRoom, job: VideoJob
) -> None:
    """The second one waits and finds it."""
    room.free.clear()
    identity = [asyncio.create_task(contents.find(job, Variant.SPRITESHEET)) for _ in range(2)]
    async with asyncio.timeout(5):
        while not room.made:
            await asyncio.sleep(0)
    room.free.set()

    assert [file.name for file in await asyncio.gather(*identity)] == [job.spritesheet] * 2
    assert len(room.made) == 1


async def test_a_picture_that_could_not_be_made_is_tried_again(
    contents: VideoContents, room: FakeCuttingRoom, job: VideoJob
) -> None:
    """Nothing half made is in the way."""
    room.fault = UpstreamBroken("damaged")
    with pytest.raises(UpstreamBroken):
        await contents.find(job, Variant.THUMBNAIL)
    room.fault = None

    assert (await contents.find(job, Variant.THUMBNAIL)).name == job.thumbnail


async def test_a_picture_of_a_video_that_is_deleted_meanwhile_does_not_stay(
    contents: VideoContents, memory: Memory, room: FakeCuttingRoom, job: VideoJob
) -> None:
    """Whoever discards a job's files may have been there already."""
    room.free.clear()
    identity = asyncio.create_task(contents.find(job, Variant.THUMBNAIL))
    async with asyncio.timeout(5):
        while not room.made:
            await asyncio.sleep(0)
    await memory.jobs.delete(job.id, job.owner, now=1020.0)
    room.free.set()
    with pytest.raises(NotFound):
        await identity

    assert await stored(memory) == {"a.mp4": b"film"}


async def test_files_that_are_gone_are_not_found(
    contents: VideoContents, memory: Memory, room: FakeCuttingRoom, job: VideoJob
) -> None:
    """The job stays and says so."""
    await memory.media.delete(["a.mp4"])
    room.nothing = True
    for variant in Variant:
        with pytest.raises(NotFound) as caught:
            await contents.find(job, variant)
        assert caught.value.code == "video_expired"


@pytest.mark.parametrize(
    ("job", "code", "words"),
    [
        (video_job(), "video_not_ready", "queued, 0 %"),
        (rendered_job(), "video_not_ready", "in_progress, 99 %"),
        (
            advance(rendered_job(), Failed(Failure.of(ContentRefused("It is unsafe.")), 1.0)),
            "video_failed",
            r"It is unsafe\.",
        ),
    ],
)
async def test_what_is_not_finished_has_no_content(
    contents: VideoContents, job: VideoJob, code: str, words: str
) -> None:
    """The error says why; it is none that clients repeat by themselves."""
    for variant in Variant:
        with pytest.raises(NotFound, match=words) as caught:
            await contents.find(job, variant)
        assert (caught.value.status, caught.value.code) == (404, code)


async def test_a_job_of_another_stem_has_pictures_of_its_own(
    contents: VideoContents, job: VideoJob, memory: Memory
) -> None:
    """They are not mixed up."""
    other = msgspec.structs.replace(
        advance(rendered_job(2), Stored(msgspec.structs.replace(MEDIA, video="b.mp4"), 1.0)), owner="bob"
    )
    await memory.jobs.admit(other, now=1000.0)
    names = [(await contents.find(each, Variant.THUMBNAIL)).name for each in (job, other)]

    assert [(await stored(memory))[name] for name in names] == [b"thumbnail of a.mp4", b"thumbnail of b.mp4"]
