"""Room for pictures whose size nobody knew before they were fetched."""

from collections.abc import Sequence

import msgspec
import pytest

from adapter.budget import MemoryBudget
from adapter.clock import SystemClock
from adapter.domain import memory_estimate
from adapter.domain.media import Frame, Image, MediaFormat
from adapter.domain.orders import ImageOrder, InlineSource, LinkSource, Source
from adapter.domain.ports import Work
from adapter.errors import ServerBusy
from adapter.media.image_pipeline import ImagePipeline
from tests.fakes import made_image

LARGE = msgspec.structs.replace(
    made_image(), base64=msgspec.Raw(b'"' + b"A" * (memory_estimate.LINKED_BYTES + 1_000_000 - 2) + b'"')
)
LINK = LinkSource("https://far.example/a.png", "image")
#: As large as it is sent on, and one that is sent on with a million bytes more.
UPLOAD, SMALL = InlineSource(b"a" * 7_000_000, "image"), InlineSource(b"a" * 6_000_000, "image")


class Brings:
    """The same picture for every source."""

    def __init__(self, image: Image) -> None:
        self._image = image

    async def gather(self, sources: Sequence[Source], formats: Sequence[MediaFormat], work: Work) -> Sequence[Image]:
        assert isinstance(formats, tuple)
        assert work.owner
        return [self._image for _ in sources]


class Draws:
    """A maker that notes whether it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def make_images(self, order: ImageOrder, inputs: Sequence[Image]) -> Sequence[Image]:
        assert len(inputs) == len(order.sources)
        self.asked += 1
        return [made_image()] * order.n


def order(*sources: Source) -> ImageOrder:
    """Return an order for four pictures."""
    return ImageOrder(model="m", provider="p", upstream="m", prompt="a", n=4, frame=Frame(), sources=sources)


@pytest.mark.parametrize(
    ("image", "source", "free", "begins"),
    [
        (LARGE, LINK, 5_000_000, True),
        (LARGE, LINK, 4_999_999, False),
        (made_image(), LINK, 1, True),
        (LARGE, UPLOAD, 1, True),  # its memory was reserved when it came
        (LARGE, SMALL, 5_000_000, True),
        (LARGE, SMALL, 4_000_000, False),
    ],
)
async def test_a_picture_that_is_larger_than_expected_needs_more_memory(
    image: Image, source: Source, free: int, *, begins: bool
) -> None:
    """As much as it is larger, here and in each of four calls: from the web, or converted. Else nothing is begun."""
    draws, budget = Draws(), MemoryBudget(SystemClock(), capacity=10_000_000, wait_seconds=0)
    async with budget.reserve(10_000_000 - free), budget.reserve(0) as reservation:
        making = ImagePipeline(draws, Brings(image)).make_images(order(source), Work("ada", reservation))
        if begins:
            assert len(await making) == 4
        else:
            with pytest.raises(ServerBusy):
                await making
    assert draws.asked == begins
