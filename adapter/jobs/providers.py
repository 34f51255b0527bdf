"""Who makes a job's video."""

from collections.abc import Mapping

from adapter.domain.job import VideoJob
from adapter.domain.ports import VideoProvider
from adapter.errors import UpstreamCredential


def provider_of(job: VideoJob, providers: Mapping[str, VideoProvider]) -> VideoProvider:
    """Return the provider of a job.

    Raises:
        UpstreamCredential: it is no longer configured.
    """
    name = job.order.provider
    if name not in providers:
        raise UpstreamCredential(f"The provider '{name}' is no longer configured.")
    return providers[name]
