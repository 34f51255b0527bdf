"""What the credential of Google Cloud is worth."""

from collections.abc import Sequence
from functools import partial

from adapter.domain.ports import Secret
from adapter.providers.description import ProviderContext
from adapter.providers.gemini.translate import fault
from adapter.providers.probe import CredentialReport, ask_each, ask_models
from adapter.providers.vertex.endpoint import host
from adapter.providers.vertex.settings import CREDENTIAL, VertexSettings


async def probe(settings: VertexSettings, context: ProviderContext) -> Sequence[CredentialReport]:
    """Make a token, and ask with it which models Google offers."""
    secret = context.open_secret(settings.credential, key=CREDENTIAL)
    return await ask_each([(settings.project or "express", partial(_ask, settings, context, secret))])


async def _ask(settings: VertexSettings, context: ProviderContext, secret: Secret) -> str:
    value = await secret.read()
    headers = {"x-goog-api-key": value} if settings.auth == "key" else {"authorization": f"Bearer {value}"}
    if settings.quota_project:
        headers["x-goog-user-project"] = settings.quota_project
    url = f"{settings.base_url or host(settings.location)}/{settings.api_version}/publishers/google/models"
    return await ask_models(context.http, url, headers, fault)
