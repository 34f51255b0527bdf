"""The image pipeline: loads input pictures, calls the provider, converts the results."""

from collections.abc import Sequence
from contextlib import nullcontext

from adapter.domain import memory_estimate
from adapter.domain.answer_memory import counted
from adapter.domain.media import Image
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import ImageProvider, InputImages, Work
from adapter.media.conversions import Conversions
from adapter.media.convert import convert


class ImagePipeline:
    """A provider together with its input loader and the conversion of its results (the port `ImageMaker`).

    A picture that has the ordered format and size already is passed on unchanged. What is paid for is converted,
    whether a connection waits for it or not.
    """

    def __init__(self, provider: ImageProvider, inputs: InputImages) -> None:
        self._provider = provider
        self._inputs = inputs
        self._conversions = Conversions()

    async def make_images(self, order: ImageOrder, work: Work) -> Sequence[Image]:
        """Return the pictures in the ordered format and size (the port of that name).

        Raises:
            ServerBusy: input pictures need more memory than is free. The provider was not called.
            ClientLeft: the work is not wanted any more. The provider was not called.
        """
        if order.sources:
            made = await self._make_from_pictures(order, work)
        else:
            made = await self._make(order, (), work)
        return [image if _is_as_ordered(image, order) else await self._converted(image, order, work) for image in made]

    async def _make_from_pictures(self, order: ImageOrder, work: Work) -> Sequence[Image]:
        inputs = await self._inputs.gather(order.sources, order.input_formats, work)
        surplus = memory_estimate.of_surplus(order, inputs)
        async with work.reservation.part(surplus) if surplus and work.reservation else nullcontext():
            return await self._make(order, inputs, work)

    async def _make(self, order: ImageOrder, inputs: Sequence[Image], work: Work) -> Sequence[Image]:
        with counted(work.reservation, memory_estimate.of_pictures(order), is_single=order.n == 1):
            return await self._provider.make_images(order, inputs)

    async def _converted(self, image: Image, order: ImageOrder, work: Work) -> Image:
        return await self._conversions.run(lambda _: convert(image, order), Work(work.owner))


def _is_as_ordered(image: Image, order: ImageOrder) -> bool:
    return image.format is order.format and order.exact in {None, image.pixels}
