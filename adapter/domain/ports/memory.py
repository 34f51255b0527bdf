"""The memories that jobs of one kind need, together."""

from typing import Generic

import msgspec

from adapter.domain.job_kinds import J
from adapter.domain.ports.jobs import JobFeed, JobStore
from adapter.domain.ports.media import MediaStore


class Memory(msgspec.Struct, Generic[J], frozen=True):
    """What outlives a request."""

    jobs: JobStore[J]
    feed: JobFeed
    media: MediaStore
