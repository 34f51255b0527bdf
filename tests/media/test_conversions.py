"""Conversions of pictures: whose turn it is, what does not wait for them, and when they are cut off."""

import asyncio
import threading
from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image as Pillow

from adapter.budget import MemoryBudget
from adapter.clock import SystemClock
from adapter.domain import memory_estimate
from adapter.domain.media import MediaFormat
from adapter.domain.orders import InlineSource
from adapter.domain.ports import Work
from adapter.errors import ClientLeft, InvalidRequest, ServerBusy
from adapter.media.conversions import AT_ONCE, Conversions, Cut
from adapter.media.input_images import InputImageLoader, InputLimits
from adapter.media.store import open_media
from tests.fakes import png

PATIENCE = 10.0
EDGE = 48


class NoWeb:
    """Addresses where nothing lies."""

    async def fetch(self, url: str, *, limit: int) -> bytes:
        raise InvalidRequest(f"Nothing of {limit} bytes is at {url}.")


class Conversion:
    """A conversion of two steps. The second one begins when a test says so."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.may_go_on = threading.Event()
        self.is_done = False
        self.ended = threading.Event()

    def __call__(self, cut: Cut) -> None:
        self.begun.set()
        try:
            assert self.may_go_on.wait(PATIENCE)
            cut.check()
            self.is_done = True
        finally:
            self.ended.set()

    async def has(self, event: threading.Event) -> bool:
        """Wait for an event."""
        return await asyncio.to_thread(event.wait, PATIENCE)


class Held(tuple[MediaFormat, ...]):
    """Formats whose conversions stand still until a test says so."""

    __slots__ = ()
    may_go_on = threading.Event()

    def __contains__(self, kind: object) -> bool:
        if threading.current_thread().name.startswith("conversion"):
            assert self.may_go_on.wait(PATIENCE)
        return super().__contains__(kind)


def loader() -> InputImageLoader:
    """Return what brings pictures."""
    return InputImageLoader(
        NoWeb(), open_media("memory://"), InputLimits(bytes=10**6, bytes_in_all=10**6, pixels=10**6)
    )


def gif() -> InlineSource:
    """Return a picture that no provider takes."""
    file = BytesIO()
    Pillow.effect_noise((EDGE, EDGE), 90).save(file, "GIF")
    return InlineSource(file.getvalue(), "image")


async def test_a_conversion_is_cut_off_between_two_steps_once_its_client_has_left() -> None:
    """What comes after the step is not done."""
    conversion, wanted = Conversion(), [True]
    running = asyncio.create_task(Conversions().run(conversion, Work("ada", is_wanted=lambda: wanted[-1])))
    assert await conversion.has(conversion.begun)
    wanted.append(False)
    conversion.may_go_on.set()

    with pytest.raises(ClientLeft):
        await running
    assert not conversion.is_done


async def test_a_conversion_is_not_begun_for_a_client_that_left_while_it_waited() -> None:
    """Its turn goes to the next one."""
    late = Conversion()
    with pytest.raises(ClientLeft):
        await Conversions().run(late, Work("ada", is_wanted=lambda: False))

    assert not late.begun.is_set()


async def test_the_thread_of_a_cancelled_conversion_ends_at_its_next_step() -> None:
    """For example when another picture of the same request is broken."""
    conversion = Conversion()
    running = asyncio.create_task(Conversions().run(conversion, Work("ada")))
    assert await conversion.has(conversion.begun)
    running.cancel()
    await asyncio.wait([running])
    conversion.may_go_on.set()

    assert await conversion.has(conversion.ended)
    assert not conversion.is_done


async def test_conversions_are_fair_between_owners() -> None:
    """Of many that wait for one owner and one for another, the other's is next."""
    conversions, order = Conversions(), []
    blocking = [Conversion() for _ in range(AT_ONCE)]

    def noting(owner: str) -> Callable[[Cut], None]:
        return lambda _: order.append(owner)

    first = [asyncio.create_task(conversions.run(one, Work("ada"))) for one in blocking]
    for one in blocking:
        assert await one.has(one.begun)
    owners = ["ada", "ada", "ada", "bob"]
    rest = [asyncio.create_task(conversions.run(noting(owner), Work(owner))) for owner in owners]
    await asyncio.sleep(0)
    blocking[0].may_go_on.set()
    await asyncio.gather(*rest)

    assert order == ["bob", "ada", "ada", "ada"]
    blocking[1].may_go_on.set()
    await asyncio.gather(*first)


async def test_a_picture_that_needs_no_conversion_does_not_wait_for_those_that_do() -> None:
    """However many there are, and whoever sent them."""
    inputs, ada = loader(), Work("ada")
    held = [asyncio.create_task(inputs.gather([gif(), gif()], Held([MediaFormat.PNG]), ada)) for _ in range(4)]
    await asyncio.sleep(0)

    async with asyncio.timeout(PATIENCE):
        [plain] = await inputs.gather([InlineSource(png(), "image")], (MediaFormat.PNG,), ada)
    assert plain.decode() == png()
    assert not any(each.done() for each in held)
    Held.may_go_on.set()
    assert [image.format for each in await asyncio.gather(*held) for image in each] == [MediaFormat.PNG] * 8


@pytest.mark.parametrize("lacking", [0, 1])
async def test_a_picture_is_decoded_once_there_is_memory_for_its_pixels(lacking: int) -> None:
    """Its head tells how many there are; its file may be small."""
    needed = memory_estimate.of_conversion(EDGE * EDGE)
    budget = MemoryBudget(SystemClock(), capacity=needed, wait_seconds=0)
    async with budget.reserve(lacking), budget.reserve(0) as reservation:
        bringing = loader().gather([gif()], (MediaFormat.PNG,), Work("ada", reservation))
        if lacking:
            with pytest.raises(ServerBusy):
                await bringing
            return
        [image] = await bringing
        # What came of it is still there.
        rest = needed - len(memoryview(image.base64))
        await reservation.wait_for_more(rest)
        with pytest.raises(ServerBusy):
            async with budget.reserve(1):
                pass
