"""Gemini on Google Cloud as the rest of the program sees it."""

from typing import Final

from adapter.providers.description import Provider, ProviderContext, ProviderDescription
from adapter.providers.gemini.provider import GeminiProvider
from adapter.providers.keys import Key, Keys
from adapter.providers.vertex.endpoint import CloudEndpoint, host
from adapter.providers.vertex.settings import CREDENTIAL, VertexSettings


def build(settings: VertexSettings, context: ProviderContext) -> Provider:
    """Return Gemini in a project of Google Cloud.

    Raises:
        WrongConfiguration: the credential that is referred to is not there.
    """
    # By the name of the project, so that a job outlives its credential.
    key = Key(settings.project or "express", context.open_secret(settings.credential, key=CREDENTIAL))
    endpoint = CloudEndpoint(
        base_url=settings.base_url or host(settings.location),
        api_version=settings.api_version,
        project=settings.project,
        location=settings.location,
        quota_project=settings.quota_project,
        has_output_options=settings.output_options,
        concurrency=settings.concurrency,
    )
    gemini = GeminiProvider(context.http, endpoint, Keys([key]))
    return Provider(images=gemini, texts=gemini)


VERTEX: Final = ProviderDescription(name="vertex", settings=VertexSettings, build=build, makes={"image", "text"})
