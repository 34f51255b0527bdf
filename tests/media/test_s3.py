"""What is S3's own: buckets, keys, servers that are gone."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest

from adapter.credentials import FixedSecret
from adapter.errors import SecretUnreadable, StorageFailed, UpstreamBroken, WrongConfiguration
from adapter.media.s3 import S3Access
from adapter.media.store import PIECE_BYTES, open_media
from tests.buckets import S3Server

SMALL, LARGE = 1000, PIECE_BYTES * 2 + 17


@pytest.fixture
def bucket(s3: S3Server) -> str:
    """A bucket of its own."""
    return s3.new_bucket()


@pytest.fixture
def dead() -> Iterator[str]:
    """An address at which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


class LostSecret:
    """A secret that its owner has taken away."""

    async def read(self) -> str:
        raise SecretUnreadable("gone")

    async def renew(self) -> str:
        return await self.read()


async def pieces(size: int) -> AsyncIterator[bytes]:
    """Yield so many bytes."""
    for start in range(0, size, 100_000):
        yield bytes(min(100_000, size - start))


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize(("name", "kind"), [("a.mp4", "video/mp4"), ("a.jpg", "image/jpeg")])
async def test_an_object_has_its_content_type_and_lies_in_its_folder(
    s3: S3Server, bucket: str, size: int, name: str, kind: str
) -> None:
    """Whoever opens the bucket by other means sees what it is."""
    await open_media(f"s3://{bucket}/some/folder/", s3.access()).put(name, pieces(size))

    assert s3.names(bucket) == [f"some/folder/{name}"]
    assert s3.head(f"{bucket}/some/folder/{name}")["content-type"] == kind


async def test_the_folder_may_be_left_out(s3: S3Server, bucket: str) -> None:
    """And the endpoint may end in a slash."""
    access = msgspec.structs.replace(s3.access(), endpoint=f"{s3.url}/")
    await open_media(f"s3://{bucket}", access).put("a.mp4", pieces(SMALL))

    assert s3.names(bucket) == ["a.mp4"]


async def test_an_upload_that_fails_is_aborted(s3: S3Server, bucket: str) -> None:
    """Pieces of it would else lie there unseen and be paid for."""
    begun: list[str] = []

    async def cut() -> AsyncIterator[bytes]:
        async for piece in pieces(LARGE):
            yield piece
        while not begun:
            begun.extend(await asyncio.to_thread(s3.unfinished, bucket))
        raise UpstreamBroken("cut")

    async with asyncio.timeout(10):
        with pytest.raises(UpstreamBroken, match="cut"):
            await open_media(f"s3://{bucket}", s3.access()).put("a.mp4", cut())

    assert begun == ["a.mp4"]
    assert s3.unfinished(bucket) == []
    assert s3.names(bucket) == []


async def test_a_server_that_is_gone_is_a_storage_fault_and_no_missing_file(dead: str) -> None:
    """A 503 and not a 404."""
    store = open_media("s3://bucket", S3Access(endpoint=dead, keys=keys()))

    async with asyncio.timeout(5):
        with pytest.raises(StorageFailed):
            await store.find("a.mp4")
        with pytest.raises(StorageFailed):
            await store.put("a.mp4", pieces(SMALL))


async def test_a_file_cannot_be_stored_where_there_is_no_bucket(s3: S3Server) -> None:
    """It is a fault of the store."""
    with pytest.raises(StorageFailed):
        await open_media("s3://no-such-bucket", s3.access()).put("a.mp4", pieces(SMALL))


async def test_a_key_that_cannot_be_read_any_more_is_a_storage_fault(s3: S3Server, bucket: str) -> None:
    """The library asks us for the keys, and our fault travels through it."""
    access = msgspec.structs.replace(s3.access(), keys=(LostSecret(), LostSecret()))

    with pytest.raises(StorageFailed):
        await open_media(f"s3://{bucket}", access).find("a.mp4")


def keys() -> tuple[FixedSecret, FixedSecret]:
    """Return two keys of no meaning."""
    return FixedSecret("AKIATEST"), FixedSecret("secret")


async def wrong(place: str, access: S3Access) -> str:
    """Return what is said of a store that does not work."""
    with pytest.raises(WrongConfiguration) as caught:
        await open_media(f"s3://{place}", access).try_out()
    return caught.value.message


async def test_a_bucket_that_is_not_there_is_named(s3: S3Server) -> None:
    """With its server."""
    assert await wrong("no-such-bucket", s3.access()) == f"storage.media: {s3.url} has no bucket 'no-such-bucket'."


async def test_keys_that_are_refused_are_named(s3: S3Server, bucket: str) -> None:
    """By their settings, and with S3's word for it."""
    s3.look_at_keys(strictly=True)
    try:
        said = await wrong(bucket, s3.access())
    finally:
        s3.look_at_keys(strictly=False)

    assert said == f"storage.s3.access_key, storage.s3.secret_key: {s3.url} does not accept them (InvalidAccessKeyId)."


async def test_a_server_that_does_not_answer_is_named(dead: str) -> None:
    """By its setting."""
    said = await wrong("bucket", S3Access(endpoint=dead, keys=keys()))

    assert said == f"storage.s3.endpoint: {dead} does not answer as an S3 server does."


@pytest.mark.parametrize(
    "place", ["", "/", "b", "bucket/../other", "a bucket", "bucket/a b", "bucket/#", "bucket//x", "bucket/x//y"]
)
def test_what_is_no_bucket_is_refused_at_once(place: str) -> None:
    """The library would panic over some of them at the first request."""
    with pytest.raises(WrongConfiguration, match="s3://BUCKET"):
        open_media(f"s3://{place}")
