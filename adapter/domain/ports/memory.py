"""The stores that jobs of one kind need, in one value."""

from typing import Generic

import msgspec

from adapter.domain.job_kinds import J
from adapter.domain.ports.jobs import JobFeed, JobStore
from adapter.domain.ports.media import MediaStore


class Memory(msgspec.Struct, Generic[J], frozen=True):
    """The job store, the feed of its changes, and the media store."""

    jobs: JobStore[J]
    feed: JobFeed
    media: MediaStore
