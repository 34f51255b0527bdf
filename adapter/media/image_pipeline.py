"""The image pipeline: loads input pictures, calls the provider, converts the results."""

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
    """A provider together with its input loader and the conversion of its results (the port `ImageMaker`).

    A picture that has the ordered format and size already is passed on unchanged. Conversions run in threads.
    """

    def __init__(self, provider: ImageProvider, inputs: InputImages, budget: Budget) -> None:
        self._provider = provider
        self._inputs = inputs
        self._budget = budget
        self._places = asyncio.Semaphore(AT_ONCE)

    async def make_images(self, order: ImageOrder) -> Sequence[Image]:
        """Return the pictures in the ordered format and size (the port of that name).

        Raises:
            ServerBusy: pictures from the web need more memory than is free. The provider was not called.
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
