"""The stores that video jobs need, in one value."""

import msgspec

from adapter.domain.ports.jobs import JobFeed, JobStore
from adapter.domain.ports.media import MediaStore


class Memory(msgspec.Struct, frozen=True):
    """The job store, the feed of its changes, and the media store."""

    jobs: JobStore
    feed: JobFeed
    media: MediaStore
