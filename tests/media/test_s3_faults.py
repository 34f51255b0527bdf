"""Each request to a bucket may fail: what is said to be stored is there, and what is read is whole.

`make test` spoils some requests; `make torture` spoils each one, in each way.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from itertools import product

import msgspec
import pytest

from adapter.errors import StorageFailed
from adapter.media.s3 import RETRIES
from adapter.media.store import PIECE_BYTES, STEP_BYTES, ObjectMediaStore, open_media
from tests.buckets import S3Server
from tests.faulty_s3 import FALSE_200, FAULTS, FaultyS3, faulty_s3

SMALL, LARGE = 1000, PIECE_BYTES * 2 + 17
HICCUP, OUTAGE = 1, RETRIES + 1
#: Each request of a put: one of a small file; a beginning, three pieces and an end of a large one.
PUTS = [(SMALL, 1), *((LARGE, number) for number in range(1, 6))]
READS = (1, 2, 3)
IS_LONG = "S3_FAULTS" in os.environ
PUT_FAULTS = (
    [
        *((*put, fault, times) for put, fault, times in product(PUTS, FAULTS, (HICCUP, OUTAGE))),
        *((LARGE, 5, FALSE_200, times) for times in (HICCUP, OUTAGE)),
    ]
    if IS_LONG
    else [
        (SMALL, 1, "503", HICCUP),
        (SMALL, 1, "cut_after", OUTAGE),
        (LARGE, 1, "500", OUTAGE),
        (LARGE, 3, "cut_before", HICCUP),
        (LARGE, 5, "cut_after", HICCUP),
        (LARGE, 5, "half", OUTAGE),
        (LARGE, 5, FALSE_200, OUTAGE),
    ]
)
READ_FAULTS = (
    [*product(READS, FAULTS, (HICCUP, OUTAGE))]
    if IS_LONG
    else [(1, "cut_before", HICCUP), (1, "503", OUTAGE), (2, "half", HICCUP), (3, "half", OUTAGE)]
)


@pytest.fixture(scope="module")
def faulty(s3: S3Server) -> Iterator[FaultyS3]:
    """The proxy."""
    with faulty_s3(s3.url) as faulty:
        yield faulty


@pytest.fixture
def place(s3: S3Server) -> str:
    """A bucket of its own."""
    return f"s3://{s3.new_bucket()}"


@pytest.fixture
def store(s3: S3Server, faulty: FaultyS3, place: str) -> ObjectMediaStore:
    """The bucket, seen through the proxy."""
    faulty.heal()
    return open_media(place, msgspec.structs.replace(s3.access(), endpoint=faulty.url))


@pytest.fixture
def direct(s3: S3Server, place: str) -> ObjectMediaStore:
    """The bucket as it is."""
    return open_media(place, s3.access())


def content(size: int) -> bytes:
    """Return bytes in which every place can be told from its neighbours."""
    return b"".join(number.to_bytes(4) for number in range(size // 4 + 1))[:size]


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    """Yield bytes piece by piece."""
    for start in range(0, len(data), 100_000):
        yield data[start : start + 100_000]


async def read(store: ObjectMediaStore, name: str) -> bytes | None:
    """Return all that is stored under a name, or None."""
    found = await store.find(name)
    return None if found is None else b"".join([piece async for piece in store.read(name, 0, found.size)])


@pytest.mark.parametrize(("size", "number", "fault", "times"), PUT_FAULTS)
async def test_a_file_is_stored_whole_or_the_store_says_that_it_failed(
    faulty: FaultyS3,
    store: ObjectMediaStore,
    direct: ObjectMediaStore,
    size: int,
    number: int,
    fault: str,
    times: int,
) -> None:
    """A put that failed leaves nothing, or the whole file if only its answer was lost; it can be repeated."""
    data = content(size)
    faulty.spoil(number, fault, times=times)
    try:
        await store.put("a.mp4", pieces(data))
    except StorageFailed:
        assert await read(direct, "a.mp4") in (None, data)
    else:
        assert await read(direct, "a.mp4") == data
    assert faulty.has_spoiled
    faulty.heal()
    await store.put("a.mp4", pieces(data))

    assert await read(direct, "a.mp4") == data


@pytest.mark.parametrize(("number", "fault", "times"), READ_FAULTS)
async def test_a_file_is_read_whole_or_the_store_says_that_it_failed(
    faulty: FaultyS3, store: ObjectMediaStore, direct: ObjectMediaStore, number: int, fault: str, times: int
) -> None:
    """A file is never shorter, and never taken for one that is not there."""
    data = content(STEP_BYTES * 2)
    await direct.put("a.mp4", pieces(data))
    faulty.spoil(number, fault, times=times)
    with suppress(StorageFailed):
        assert await read(store, "a.mp4") == data
    assert faulty.has_spoiled
    faulty.heal()

    assert await read(store, "a.mp4") == data
