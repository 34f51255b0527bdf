"""An order of a picture in the background becomes a new job."""

import secrets

import msgspec

from adapter.domain.ids import Id
from adapter.domain.image_job import ImageJob
from adapter.domain.media import MediaFormat, sniff
from adapter.domain.orders import ImageOrder, InlineSource, Source, StoredSource
from adapter.domain.pieces import write_whole
from adapter.domain.ports import Clock, MediaStore, Tracer
from adapter.domain.stored_files import file_name

#: What is needed to know a file by its magic bytes.
HEAD_BYTES = 32


class NewPictures:
    """Makes jobs of orders. Pictures that came with the request are stored: a job outlives its request."""

    def __init__(self, media: MediaStore, clock: Clock, tracer: Tracer) -> None:
        self._media = media
        self._clock = clock
        self._tracer = tracer

    async def create(self, order: ImageOrder, owner: str) -> ImageJob:
        """Return a new job. It is not remembered yet."""
        stem = secrets.token_hex(16)
        sources = tuple([await self._kept(f"{stem}_{at}", source) for at, source in enumerate(order.sources)])
        pairs = zip(order.sources, sources, strict=True)
        inputs = tuple(kept.name for came, kept in pairs if isinstance(kept, StoredSource) and kept is not came)
        return ImageJob(
            id=Id.IMAGE_JOB.new(),
            owner=owner,
            order=msgspec.structs.replace(order, sources=sources),
            inputs=inputs,
            stem=stem,
            created_at=self._clock.now(),
            trace=self._tracer.current(),
        )

    async def _kept(self, stem: str, source: Source) -> Source:
        if not isinstance(source, InlineSource):
            return source
        # What is no picture is refused when it is looked at, as any other source is.
        kind = sniff(source.data[:HEAD_BYTES]) or MediaFormat.PNG
        name = file_name(stem, kind)
        await write_whole(self._media, name, source.data)
        return StoredSource(name, source.param, source.advice)
