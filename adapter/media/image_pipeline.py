"""The image pipeline: loads input pictures, calls the provider, converts the results."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

from adapter.domain import memory_estimate
from adapter.domain.answer_memory import counted
from adapter.domain.media import Image
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import ImageProvider, InputImages, Portion, Work
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
        inputs = await self._inputs.gather(order.sources, order.input_formats, work)
        async with _part(work, memory_estimate.of_surplus(order, inputs)):
            with counted(work.reservation, memory_estimate.of_pictures(order), is_single=order.n == 1):
                made = await self._provider.make_images(order, inputs)
        paid = Work(work.owner)
        return [await self._converted(image, order, paid) for image in made]

    async def _converted(self, image: Image, order: ImageOrder, work: Work) -> Image:
        if image.format is order.format and order.exact in {None, image.pixels}:
            return image
        return await self._conversions.run(lambda _: convert(image, order), work)


def _part(work: Work, size: int) -> AbstractAsyncContextManager[Portion | None]:
    return work.reservation.part(size) if size and work.reservation else nullcontext()
