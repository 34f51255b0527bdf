"""The contract of the media store, on every kind of it."""

import asyncio
import errno
import os
import resource
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import cast

import pytest

from adapter.domain.pieces import find_whole, write_whole
from adapter.errors import FileDamaged, StorageFailed, StorageReason, UpstreamBroken, WrongConfiguration
from adapter.media.folder import WRITE_BYTES
from adapter.media.store import PAGE, SMALL_STEP_BYTES, STEP_BYTES, UNREAD_BYTES, ObjectMediaStore, open_media
from tests.buckets import S3Server


@pytest.fixture(params=["file", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, s3: S3Server) -> ObjectMediaStore:
    """Each kind of store, empty."""
    match request.param:
        case "file":
            return open_media(f"file://{tmp_path}/media")
        case "s3":
            return open_media(f"s3://{s3.new_bucket()}/media", s3.access())
        case _:
            return open_media("memory://")


async def pieces(data: bytes, *, fails: bool = False) -> AsyncIterator[bytes]:
    """Yield data piece by piece, and fail at the end if told to."""
    for start in range(0, len(data), 100_000):
        yield data[start : start + 100_000]
    if fails:
        raise UpstreamBroken("cut")


async def read(store: ObjectMediaStore, name: str, start: int, end: int) -> bytes:
    """Return a part of a file."""
    return b"".join([piece async for piece in store.read(name, start, end)])


@pytest.mark.parametrize("size", [0, 1, 1000, STEP_BYTES, STEP_BYTES * 2 + 17, 12_000_000])
async def test_a_file_comes_back_as_it_was_put(store: ObjectMediaStore, size: int) -> None:
    """Small ones in one piece, large ones in many."""
    data = bytes(index % 251 for index in range(min(size, 5000))) * (size // 5000 + 1)
    await store.put("a.mp4", pieces(data[:size]))
    found = await store.find("a.mp4")

    assert found is not None
    assert found.size == size
    assert await read(store, "a.mp4", 0, size) == data[:size]


async def test_a_part_of_a_file_can_be_read(store: ObjectMediaStore) -> None:
    """Players seek."""
    data = bytes(range(256)) * 10_000
    await store.put("a.mp4", pieces(data))

    assert await read(store, "a.mp4", 1_000_003, 2_200_000) == data[1_000_003:2_200_000]
    assert await read(store, "a.mp4", 5, 5) == b""


async def test_steps_are_smaller_the_more_readers_have_not_taken_theirs() -> None:
    """A reader that reads nothing holds one step. When the others have gone, steps are large again."""
    store = open_media("memory://")
    await store.put("a.mp4", pieces(bytes(2 * STEP_BYTES)))
    held: list[int] = []
    async with AsyncExitStack() as readers:
        for _ in range(200):
            reader = cast("AsyncGenerator[bytes, None]", store.read("a.mp4", 0, 2 * STEP_BYTES))
            held.append(len(await anext(await readers.enter_async_context(aclosing(reader)))))
        late = [len(piece) async for piece in store.read("a.mp4", 0, STEP_BYTES)]

    assert held == sorted(held, reverse=True)
    assert (held[0], held[-1]) == (STEP_BYTES, SMALL_STEP_BYTES)
    assert sum(held) <= UNREAD_BYTES + len(held) * SMALL_STEP_BYTES
    assert late == [SMALL_STEP_BYTES] * (STEP_BYTES // SMALL_STEP_BYTES)
    assert [len(piece) async for piece in store.read("a.mp4", 0, STEP_BYTES)] == [STEP_BYTES]


@pytest.mark.parametrize("size", [10, 12_000_000])
async def test_a_put_that_fails_leaves_nothing_behind(store: ObjectMediaStore, tmp_path: Path, size: int) -> None:
    """A half file is never visible, and the fault is the one that happened."""
    with pytest.raises(UpstreamBroken, match="cut"):
        await store.put("a.mp4", pieces(bytes(size), fails=True))

    assert await store.find("a.mp4") is None
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


async def test_a_put_that_is_cancelled_leaves_nothing_behind(tmp_path: Path) -> None:
    """A thread that is at it at that moment is waited for."""
    store, has_begun = open_media(f"file://{tmp_path}"), asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield bytes(WRITE_BYTES)
        has_begun.set()
        while True:
            yield bytes(1000)
            await asyncio.sleep(0)

    put = asyncio.create_task(store.put("a.mp4", endless()))
    await has_begun.wait()
    put.cancel()
    await asyncio.wait([put])

    assert put.cancelled()
    assert not list(tmp_path.iterdir())


async def test_two_puts_of_one_name_end_with_one_whole_file(tmp_path: Path) -> None:
    """Two processes may store the same video."""
    store = open_media(f"file://{tmp_path}")
    await asyncio.gather(*(store.put("a.mp4", pieces(text * 3_000_000)) for text in (b"1", b"2")))
    data = await find_whole(store, "a.mp4")

    assert data in (b"1" * 3_000_000, b"2" * 3_000_000)
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]


async def test_a_folder_that_was_removed_is_made_anew(tmp_path: Path) -> None:
    """An operator who empties the store may take the folder too."""
    store = open_media(f"file://{tmp_path}/media")
    (tmp_path / "media").rmdir()
    await store.put("a.png", pieces(b"1"))

    assert await find_whole(store, "a.png") == b"1"
    assert (tmp_path / "media").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "name", ["nothing.mp4", "../secret", "a/../../secret", "/etc/passwd", "a\\b", "a.mp4#1", "a\x00b", ""]
)
async def test_what_is_not_there_is_none(store: ObjectMediaStore, tmp_path: Path, name: str) -> None:
    """No name leads out of the store."""
    (tmp_path / "secret").write_text("secret")

    assert await store.find(name) is None


async def test_the_tag_of_a_file_is_quoted_and_stable(store: ObjectMediaStore) -> None:
    """As HTTP wants it."""
    await store.put("a.png", pieces(b"1"))
    first, second = await store.find("a.png"), await store.find("a.png")

    assert first == second
    assert first is not None
    assert first.etag.startswith('"')
    assert first.etag.endswith('"')


async def test_every_whole_file_is_listed_with_its_size_and_age(store: ObjectMediaStore, tmp_path: Path) -> None:
    """More than a page of them; an upload in progress is none of them, nor is what has another kind of name."""
    before = time.time()
    for number in range(PAGE + 1):
        await store.put(f"{number}.png", pieces(b"12"))
    await store.put("not one of ours", pieces(b"1"))
    listed = [file async for page in store.list() for file in page]

    assert {file.name for file in listed} == {f"{number}.png" for number in range(PAGE + 1)}
    assert len(listed) == PAGE + 1
    assert {file.size for file in listed} == {2}
    assert all(before - 2 < file.modified_at < time.time() + 2 for file in listed)


async def test_a_list_and_a_look_tell_the_same_of_a_file(store: ObjectMediaStore) -> None:
    """The time may be rounded to a second."""
    await store.put("a.png", pieces(b"12"))
    found = await store.find("a.png")
    [[listed]] = [page async for page in store.list()]

    assert found is not None
    assert (found.name, found.size, found.etag) == (listed.name, listed.size, listed.etag) == ("a.png", 2, found.etag)
    assert abs(found.modified_at - listed.modified_at) <= 1


@pytest.mark.parametrize("size", [0, 1, STEP_BYTES * 2 + 17])
async def test_a_whole_file_is_written_and_read_at_once(store: ObjectMediaStore, size: int) -> None:
    """However many pieces the store makes of it."""
    data = bytes(index % 251 for index in range(1000)) * (size // 1000 + 1)
    await write_whole(store, "a.png", data[:size])

    assert await find_whole(store, "a.png") == data[:size]
    assert await find_whole(store, "b.png") is None


async def test_an_empty_store_lists_nothing(store: ObjectMediaStore) -> None:
    """Not even an empty folder is a fault."""
    assert [file async for page in store.list() for file in page] == []


async def test_what_is_deleted_is_gone(store: ObjectMediaStore) -> None:
    """The others stay, and one that was gone already is no fault."""
    for name in ("a.png", "b.png", "c.png"):
        await store.put(name, pieces(b"1"))
    await store.delete(["a.png", "gone.png", "b.png"])
    await store.delete([])

    assert [file.name async for page in store.list() for file in page] == ["c.png"]
    assert await store.find("a.png") is None


async def test_a_file_that_ends_early_is_an_error_and_not_its_end(store: ObjectMediaStore) -> None:
    """Whoever reads it was told its size before."""
    await store.put("a.mp4", pieces(b"film"))
    with pytest.raises(FileDamaged):
        await read(store, "a.mp4", 0, 5)

    assert await read(store, "a.mp4", 0, 4) == b"film"


async def test_a_probe_leaves_nothing(store: ObjectMediaStore, tmp_path: Path) -> None:
    """Several processes may try the store out at once."""
    await asyncio.gather(*(store.probe() for _ in range(5)))

    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


@pytest.fixture
def largest_file() -> Iterator[Callable[[int], None]]:
    """Sets how large a file of this process may become, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_folder_that_takes_no_more_bytes_is_full(tmp_path: Path, largest_file: Callable[[int], None]) -> None:
    """A probe is larger than what fits into the last block."""
    store = open_media(f"file://{tmp_path}/media")
    largest_file(4096)
    with pytest.raises(StorageFailed) as caught:
        await store.probe()

    assert caught.value.reason is StorageReason.FULL


async def test_a_folder_that_is_no_folder_any_more_is_unavailable(tmp_path: Path) -> None:
    """The reason names no path."""
    store = open_media(f"file://{tmp_path}/media")
    (tmp_path / "media").rmdir()
    (tmp_path / "media").write_text("a file")
    with pytest.raises(StorageFailed) as caught:
        await store.probe()

    assert caught.value.reason is StorageReason.UNAVAILABLE
    assert str(tmp_path) not in caught.value.message


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, StorageReason.FULL),
        (errno.EDQUOT, StorageReason.FULL),
        (errno.EROFS, StorageReason.READ_ONLY),
        (errno.EACCES, StorageReason.READ_ONLY),
        (errno.EIO, StorageReason.UNAVAILABLE),
    ],
)
async def test_the_reason_of_the_system_is_told(number: int, reason: StorageReason) -> None:
    """The bytes come from a source that fails as a disk does."""

    async def failing() -> AsyncIterator[bytes]:
        yield b"x"
        raise OSError(number, os.strerror(number))

    with pytest.raises(StorageFailed) as caught:
        await open_media("memory://").put("a.png", failing())

    assert caught.value.reason is reason


async def test_a_store_that_works_can_be_tried_out(store: ObjectMediaStore, tmp_path: Path) -> None:
    """Nothing is left of it."""
    await store.try_out()

    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


@pytest.mark.parametrize("size", [10, 12_000_000])
async def test_a_new_folder_and_its_files_are_for_their_user_alone(tmp_path: Path, size: int) -> None:
    """A folder that exists keeps its rights."""
    store = open_media(f"file://{tmp_path}/media")
    await store.put("a.mp4", pieces(bytes(size)))

    assert (tmp_path / "media").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "media" / "a.mp4").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("url", ["ftp://host", "var/media", "file://"])
def test_another_kind_of_store_is_a_clear_error(url: str) -> None:
    """The error says what it has to be."""
    with pytest.raises(WrongConfiguration, match=r"file://FOLDER or s3://BUCKET"):
        open_media(url)


def test_what_a_killed_process_left_is_removed_at_the_start(tmp_path: Path) -> None:
    """Unless another process may still be writing it."""
    old, new, whole = (tmp_path / name for name in ("a.mp4#1", "b.mp4#1", "c.mp4"))
    for file in (old, new, whole):
        file.write_bytes(b"x")
    for file in (old, whole):
        os.utime(file, (0, 0))
    open_media(f"file://{tmp_path}")

    assert [file.exists() for file in (old, new, whole)] == [False, True, True]
