"""`/v1/organization/…`: what was made and spent, for administrators."""

from litestar import Request, Response, get
from litestar.datastructures import State

from adapter.domain.principal import Principal
from adapter.errors import NoAdministrator
from adapter.openai_api.read.keys import read_keys
from adapter.openai_api.read.usage import read_usage
from adapter.openai_api.routes.access import require_key
from adapter.openai_api.routes.services import OwnedRequest, Services, json_response
from adapter.openai_api.write import usage as write

ADMINISTRATOR = Principal(owner="administrator")


async def require_admin(request: Request[object, object, State]) -> None:
    """Let an administrator's request in. Another one is answered as if its key were asked for anything else.

    Raises:
        WrongKey, RateLimited: as `require_key`.
        NoAdministrator: the key is valid, and no administrator's.
    """
    services: Services = request.app.state.services
    if await services.admins.has(read_keys(request.headers)):
        request.scope["auth"] = ADMINISTRATOR
        return
    await require_key(request)
    principal: Principal = request.scope["auth"]
    if not principal.allowance.admin:
        raise NoAdministrator(
            "You have insufficient permissions for this operation. It needs an administrator's key: one of the server's"
            " 'access.admin_keys', or one that was made with `adapter keys create NAME --admin`."
        )


@get("/organization/usage/images", before_request=require_admin)
async def images_usage(request: OwnedRequest, services: Services) -> Response[bytes]:
    """Tell how many pictures were made, by key, model and time."""
    asked = read_usage("images", request.query_params.multi_items(), services.clock.now())
    sums = await services.usage.sums(asked.query)
    return json_response(write.images_usage(asked.query, sums, asked.next_start))


@get("/organization/usage/videos", before_request=require_admin)
async def videos_usage(request: OwnedRequest, services: Services) -> Response[bytes]:
    """Tell how many videos were made, by key, model and time. OpenAI has no such route."""
    asked = read_usage("videos", request.query_params.multi_items(), services.clock.now())
    sums = await services.usage.sums(asked.query)
    return json_response(write.videos_usage(asked.query, sums, asked.next_start))


@get("/organization/costs", before_request=require_admin)
async def costs(request: OwnedRequest, services: Services) -> Response[bytes]:
    """Tell what was spent, by key, model and day."""
    asked = read_usage("costs", request.query_params.multi_items(), services.clock.now())
    sums = await services.usage.sums(asked.query)
    return json_response(write.costs(asked.query, sums, asked.next_start))
