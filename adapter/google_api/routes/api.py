"""Google's routes below one prefix. `routes/paths.py` leads its other addresses there."""

from litestar import HttpMethod, Request, Response, Router, route
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from adapter.errors import AdapterError, MissingKey, NotFound
from adapter.google_api.read.addresses import PREFIX
from adapter.google_api.routes import failures, generate, models
from adapter.google_api.routes.paths import REFUSED_KEY
from adapter.openai_api.routes import access

NO_KEY = "Method doesn't allow unregistered callers. Send your key in the header 'x-goog-api-key'."
REFUSED_KEY_ADVICE = " A key in the address is not taken here, because addresses end up in logs."

_CHANGES = [HttpMethod.PUT, HttpMethod.PATCH, HttpMethod.DELETE]


async def require_native_key(request: Request[object, object, State]) -> None:
    """Let a request in, or raise as `openai_api.routes.access.require_key`, with words for Google's clients."""
    try:
        await access.require_key(request)
    except MissingKey as fault:
        advice = REFUSED_KEY_ADVICE if REFUSED_KEY in request.scope["state"] else ""
        raise MissingKey(NO_KEY + advice) from fault


@route("/{rest:path}", http_method=[HttpMethod.GET, HttpMethod.POST, *_CHANGES], status_code=404)
async def refuse_path(request: Request[object, object, State]) -> Response[bytes]:
    """Say that there is no such route: the framework's own answer would be in OpenAI's form."""
    raise _not_found(request)


@route(["/models", "/models/{name:path}"], http_method=_CHANGES, status_code=404)
async def refuse_change(request: Request[object, object, State]) -> Response[bytes]:
    """Say that models cannot be changed."""
    raise _not_found(request)


def _not_found(request: Request[object, object, State]) -> NotFound:
    return NotFound(f"There is no {request.method} {request.scope['path']} here.", code="unknown_url")


def google_routes() -> Router:
    """Return the routes. OpenAI's document does not describe them: Google's does."""
    return Router(
        PREFIX,
        route_handlers=[
            generate.call_model,
            models.list_native_models,
            models.retrieve_native_model,
            refuse_path,
            refuse_change,
        ],
        before_request=require_native_key,
        exception_handlers={
            AdapterError: failures.answer_status,
            HTTPException: failures.answer_framework_status,
            Exception: failures.answer_mistake,
        },
        include_in_schema=False,
    )
