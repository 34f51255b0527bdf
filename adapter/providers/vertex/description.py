"""Gemini on Google Cloud as the rest of the program sees it."""

from typing import Final

import msgspec

from adapter.providers.description import Provider, ProviderContext, ProviderDescription
from adapter.providers.gemini.passing import GeminiTexts
from adapter.providers.gemini.provider import GeminiProvider
from adapter.providers.keys import Key, Keys
from adapter.providers.omni.description import check_card
from adapter.providers.omni.provider import OmniProvider
from adapter.providers.omni.refusals import Refusals
from adapter.providers.vertex.bucket import VideoBucket
from adapter.providers.vertex.endpoint import GLOBAL, CloudEndpoint, CloudInteractions, host
from adapter.providers.vertex.files import CloudFiles
from adapter.providers.vertex.probe import probe
from adapter.providers.vertex.settings import CREDENTIAL, VertexSettings

STORAGE: Final = "https://storage.googleapis.com"


def build(settings: VertexSettings, context: ProviderContext) -> Provider:
    """Return Gemini in a project of Google Cloud.

    Raises:
        WrongConfiguration: the credential that is referred to is not there.
    """
    key = Key(settings.credential_name, context.open_secret(settings.credential, key=CREDENTIAL))
    keys = Keys([key], context.clock, context.metrics, provider="vertex")
    endpoint = CloudEndpoint(
        base_url=settings.base_url or host(settings.location),
        api_version=settings.api_version,
        project=settings.project,
        location=settings.location,
        quota_project=settings.quota_project,
        has_output_options=settings.output_options,
        concurrency=settings.concurrency,
    )
    gemini, passed = GeminiProvider(context.http, endpoint, keys), GeminiTexts(context.http, endpoint, keys)
    if not settings.project:
        return Provider(images=gemini, texts=gemini, passed_texts=passed, credentials=keys)
    videos = build_videos(settings, context, endpoint, keys)
    return Provider(
        images=gemini, texts=gemini, passed_texts=passed, videos=videos, credentials=keys, close=videos.close
    )


def build_videos(
    settings: VertexSettings, context: ProviderContext, endpoint: CloudEndpoint, keys: Keys
) -> OmniProvider:
    """Return Gemini Omni in a project."""
    cloud = msgspec.structs.replace(endpoint, base_url=settings.base_url or host(GLOBAL))
    return OmniProvider(
        context.http,
        CloudInteractions(cloud, settings.questions),
        keys,
        context.clock,
        Refusals(settings.refused_polls, settings.refused_seconds),
        send_seed=settings.send_seed,
        files=CloudFiles(context.http, cloud, build_bucket(settings)),
    )


def build_bucket(settings: VertexSettings) -> VideoBucket | None:
    """Return the bucket for videos; None if there is none."""
    if not settings.bucket:
        return None
    name, _, folder = settings.bucket.removeprefix("gs://").partition("/")
    return VideoBucket(base_url=settings.storage_url or settings.base_url or STORAGE, name=name, folder=folder)


VERTEX: Final = ProviderDescription(
    name="vertex",
    settings=VertexSettings,
    build=build,
    probe=probe,
    makes={"image", "text", "chat", "video"},
    check_card=check_card,
)
