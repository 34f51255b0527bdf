"""Gemini as the rest of the program sees it."""

from typing import Final

from adapter.providers.description import Provider, ProviderContext, ProviderDescription
from adapter.providers.gemini.files import FilesEndpoint, GeminiFiles
from adapter.providers.gemini.passing import GeminiTexts
from adapter.providers.gemini.probe import probe
from adapter.providers.gemini.provider import GeminiEndpoint, GeminiProvider
from adapter.providers.gemini.settings import GeminiSettings
from adapter.providers.keys import Keys, open_keys


def build(settings: GeminiSettings, context: ProviderContext) -> Provider:
    """Return the Gemini API.

    Raises:
        WrongConfiguration: a key that is referred to is not there.
    """
    keys = open_keys(settings.named_keys, context)
    endpoint = GeminiEndpoint(
        base_url=settings.base_url,
        api_version=settings.api_version,
        auth=settings.auth,
        concurrency=settings.concurrency,
    )
    files = FilesEndpoint(
        base_url=settings.base_url,
        api_version=settings.api_version,
        auth=settings.auth,
        inline_bytes=settings.inline_bytes,
        concurrency=settings.concurrency,
    )
    pool = Keys(keys, context.clock, context.metrics)
    gemini = GeminiProvider(context.http, endpoint, pool, GeminiFiles(context.http, files, context.clock))
    passed = GeminiTexts(context.http, endpoint, pool)
    return Provider(images=gemini, texts=gemini, passed_texts=passed, credentials=pool, close=gemini.close)


GEMINI: Final = ProviderDescription(
    name="gemini", settings=GeminiSettings, build=build, probe=probe, makes={"image", "text", "chat"}
)
