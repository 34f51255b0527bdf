"""What the operator's Gemini keys are worth."""

from collections.abc import Sequence
from functools import partial

from adapter.domain.ports import Secret
from adapter.providers.description import ProviderContext
from adapter.providers.gemini.credential import keyed
from adapter.providers.gemini.settings import GeminiSettings
from adapter.providers.gemini.translate import fault
from adapter.providers.http import Http
from adapter.providers.keys import open_keys
from adapter.providers.probe import CredentialReport, ask_each, ask_models


async def probe(settings: GeminiSettings, context: ProviderContext) -> Sequence[CredentialReport]:
    """Ask with each key which models there are."""
    asks = [
        (key.name, partial(_ask, key.client(context.http), settings, key.secret))
        for key in open_keys(settings.named_keys, context)
    ]
    return await ask_each(asks)


async def _ask(http: Http, settings: GeminiSettings, secret: Secret) -> str:
    url, headers = keyed(f"{settings.base_url}/{settings.api_version}/models", settings.auth, await secret.read())
    return await ask_models(http, url, headers, fault)
