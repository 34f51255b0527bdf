"""What happens to pictures before a provider gets them and after it made them."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext

from adapter.domain import memory_estimate
from adapter.domain.media import Image
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import Budget, ImageProvider, InputImages
from adapter.media.convert import convert

#: Conversions at once: each takes a core for 20 to 150 ms, and a picture's pixels in memory.
AT_ONCE = 2


class ImagePipeline:
    """A provider whose inputs are brought and whose pictures are as the order has them (the port `ImageMaker`).

    A picture that has the order's format and size already is passed on untouched. The work is done in threads, off the
    event loop.
    """

    def __init__(self, provider: ImageProvider, inputs: InputImages, budget: Budget) -> None:
        self._provider = provider
        self._inputs = inputs
        self._budget = budget
        self._places = asyncio.Semaphore(AT_ONCE)

    async def make_images(self, order: ImageOrder) -> Sequence[Image]:
        """Return the pictures as the order has them (the port of that name).

        Raises:
            ServerBusy: pictures from the web are larger than there is room for; nothing was begun.
        """
        inputs = await self._inputs.gather(order.sources, order.input_formats)
        surplus = memory_estimate.of_surplus(order, inputs)
        async with self._budget.reserve(surplus) if surplus else nullcontext():
            made = await self._provider.make_images(order, inputs)
        return [await self._converted(image, order) for image in made]

    async def _converted(self, image: Image, order: ImageOrder) -> Image:
        if image.format is order.format and order.exact in {None, image.pixels}:
            return image
        async with self._places:
            return await asyncio.to_thread(convert, image, order)
