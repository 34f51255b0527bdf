"""What is remembered of uploads, and what is not."""

import asyncio
import gc
import weakref

import pytest

from adapter.domain.media import Image
from adapter.errors import InvalidRequest
from adapter.providers.uploads import PictureUploads
from tests.fakes import FakeClock, made_image


class Burden:
    """Something large that a failing upload has in its hands."""


async def test_a_failed_upload_lets_go_of_its_picture() -> None:
    """Its traceback would hold the picture for as long as the failure is remembered."""
    uploads = PictureUploads(FakeClock(), 60.0, tasks="uploads")
    burdens: list[weakref.ref[Burden]] = []

    async def send(_: Image) -> str:
        burden = Burden()
        burdens.append(weakref.ref(burden))
        raise InvalidRequest("not such a picture")

    with pytest.raises(InvalidRequest):
        await uploads.names("ada", [made_image()], send)
    await asyncio.sleep(0)
    gc.collect()

    assert burdens[0]() is None


async def test_an_upload_that_fails_when_nobody_waits_any_more_is_quiet() -> None:
    """Else the event loop complains of an exception that was never retrieved."""
    uploads, told = PictureUploads(FakeClock(), 60.0, tasks="uploads"), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    refused, begun = asyncio.Event(), asyncio.Event()

    async def send(_: Image) -> str:
        begun.set()
        await refused.wait()
        raise InvalidRequest("not such a picture")

    waiting = asyncio.create_task(uploads.names("ada", [made_image()], send))
    await begun.wait()
    waiting.cancel()
    await asyncio.wait({waiting})
    refused.set()
    for _ in range(3):
        await asyncio.sleep(0)
    del uploads, waiting
    gc.collect()

    assert told == []
