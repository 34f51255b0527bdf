"""Parts that do what the real ones do, where they do not do otherwise."""

from typing import cast

from adapter.domain.ports import JobStore, MediaStore, RequestStore, VideoProvider


class Around:
    """A part around a real one."""

    def __init__(self, inner: object) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)


class AroundStore(Around):
    """Around the job store."""

    @property
    def real(self) -> JobStore:
        """What it is around."""
        return cast(JobStore, self._inner)


class AroundRequests(Around):
    """Around the store of requests."""

    @property
    def real(self) -> RequestStore:
        """What it is around."""
        return cast(RequestStore, self._inner)


class AroundMedia(Around):
    """Around the media store."""

    @property
    def real(self) -> MediaStore:
        """What it is around."""
        return cast(MediaStore, self._inner)


class AroundFlow(Around):
    """Around the maker of videos."""

    @property
    def real(self) -> VideoProvider:
        """What it is around."""
        return cast(VideoProvider, self._inner)
