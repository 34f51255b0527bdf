"""`/v1/organization/accounts`: the accounts and keys at Google, for administrators."""

from litestar import Response, get

from adapter.openai_api.routes.services import OwnedRequest, Services, json_response
from adapter.openai_api.routes.usage import require_admin
from adapter.openai_api.write.accounts import account_list


@get("/organization/accounts", before_request=require_admin)
async def list_accounts(request: OwnedRequest, services: Services) -> Response[bytes]:  # noqa: ARG001 - as the others
    """Tell how each account and key at Google stands, as `adapter accounts` does. OpenAI has no such route."""
    return json_response(account_list(await services.accounts()))
