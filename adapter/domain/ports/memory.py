"""The memories that video jobs need, together."""

import msgspec

from adapter.domain.ports.jobs import JobFeed, JobStore
from adapter.domain.ports.media import MediaStore


class Memory(msgspec.Struct, frozen=True):
    """What outlives a request."""

    jobs: JobStore
    feed: JobFeed
    media: MediaStore
