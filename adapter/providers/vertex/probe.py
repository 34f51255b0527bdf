"""What the credential of Google Cloud is worth."""

from collections.abc import Sequence
from functools import partial

from adapter.providers.gemini.translate import fault
from adapter.providers.http import Http
from adapter.providers.keys import Key
from adapter.providers.probe import CredentialReport, ask_each, ask_models
from adapter.providers.vertex.endpoint import CloudEndpoint


async def probe(http: Http, endpoint: CloudEndpoint, key: Key) -> Sequence[CredentialReport]:
    """Make a token, and ask with it which models Google offers."""
    return await ask_each([(key.name, partial(_ask, http, endpoint, key))])


async def _ask(http: Http, endpoint: CloudEndpoint, key: Key) -> str:
    secret = await key.secret.read()
    url = f"{endpoint.base_url}/{endpoint.api_version}/publishers/google/models"
    return await ask_models(http, url, endpoint.credential(key, secret), fault)
