"""What the operator's Gemini keys are worth."""

from collections.abc import Sequence
from functools import partial

from adapter.providers.gemini.credential import keyed
from adapter.providers.gemini.provider import GeminiEndpoint
from adapter.providers.gemini.translate import fault
from adapter.providers.http import Http
from adapter.providers.keys import Key
from adapter.providers.probe import CredentialReport, ask_each, ask_models


async def probe(http: Http, endpoint: GeminiEndpoint, keys: Sequence[Key]) -> Sequence[CredentialReport]:
    """Ask with each key which models there are."""
    return await ask_each([(key.name, partial(_ask, http, endpoint, key)) for key in keys])


async def _ask(http: Http, endpoint: GeminiEndpoint, key: Key) -> str:
    url = f"{endpoint.base_url}/{endpoint.api_version}/models"
    url, headers = keyed(url, endpoint.auth, await key.secret.read())
    return await ask_models(http, url, headers, fault)
