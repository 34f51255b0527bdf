"""Every endpoint, under every path that front-ends make of a base URL, as one application."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from litestar import Litestar, Request, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin

from adapter.errors import AdapterError
from adapter.openai_api.routes import (
    accounts,
    chat,
    failures,
    health,
    images,
    media,
    models,
    openapi,
    responses,
    uploads,
    usage,
    videos,
)
from adapter.openai_api.routes.access import require_key
from adapter.openai_api.routes.services import Services

#: Front-ends append `/v1` to what they are given, or leave it out (`frontends.md` R1).
PREFIXES = ("/v1", "/", "/v1/v1")
API = (
    images.create_images,
    images.edit_images,
    images.vary_images,
    chat.complete_chat,
    videos.create_video,
    videos.list_videos,
    videos.retrieve_video,
    videos.delete_video,
    videos.read_content,
    videos.remix_video,
    videos.upscale_video,
    videos.watch_video,
    videos.edit_video,
    videos.extend_video,
    videos.refuse_characters,
    videos.refuse_character,
    models.list_models,
    models.retrieve_model,
    uploads.upload_file,
    uploads.list_files,
    uploads.retrieve_file,
    uploads.delete_file,
    uploads.read_file,
    responses.create_response,
    responses.retrieve_response,
    responses.cancel_response,
    responses.delete_response,
    responses.list_input_items,
    usage.images_usage,
    usage.videos_usage,
    usage.costs,
    accounts.list_accounts,
)
#: Handlers that are called directly (`direct.py`).
DIRECT = (
    images.create_images,
    images.edit_images,
    images.vary_images,
    chat.complete_chat,
    videos.create_video,
    videos.retrieve_video,
    videos.read_content,
)
PUBLIC = (media.read_media, health.health, health.ready, openapi.read_document)


class Framework(Litestar):
    """Litestar without the plugins for libraries that are not used here: pydantic takes 8 MB where it is installed."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


def api(
    lifespan: Callable[[Litestar], AbstractAsyncContextManager[None]], *, body_bytes: int, beside: Sequence[Router] = ()
) -> Litestar:
    """Return the application, with the routes of another API beside OpenAI's.

    Its lifespan puts the `Services` that the handlers work at into `state.services`.
    """
    own = (Router(prefix, route_handlers=API, before_request=require_key) for prefix in PREFIXES)
    return Framework(
        [*own, *PUBLIC, *beside],
        dependencies={"services": Provide(_services, sync_to_thread=False)},
        exception_handlers={
            AdapterError: failures.answer_fault,
            HTTPException: failures.answer_framework,
            Exception: failures.answer_anything,
        },
        lifespan=[lifespan],
        request_max_body_size=body_bytes,
        logging_config=None,
        openapi_config=None,
    )


def _services(request: Request[object, object, State]) -> Services:
    services: Services = request.app.state.services
    return services
