"""What the operator's keys of Gemini Omni are worth."""

from collections.abc import Sequence
from functools import partial

from adapter.providers.http import Http
from adapter.providers.keys import Key
from adapter.providers.omni.api import OmniEndpoint
from adapter.providers.omni.faults import fault
from adapter.providers.probe import CredentialReport, ask_each, ask_models


async def probe(http: Http, endpoint: OmniEndpoint, keys: Sequence[Key]) -> Sequence[CredentialReport]:
    """Ask with each key which models there are."""
    return await ask_each([(key.name, partial(_ask, http, endpoint, key)) for key in keys])


async def _ask(http: Http, endpoint: OmniEndpoint, key: Key) -> str:
    headers = endpoint.headers(key, await key.secret.read())
    return await ask_models(http, endpoint.address("models"), headers, fault)
