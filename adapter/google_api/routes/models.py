"""`GET /v1beta/models` and `GET /v1beta/models/{name}`."""

import msgspec
from litestar import Response, get

from adapter.google_api.read.models import native_model_named, read_model_page
from adapter.google_api.write.models import native_list, native_model
from adapter.openai_api.routes.services import OwnedRequest, Services, json_response


@get("/models")
async def list_native_models(request: OwnedRequest, services: Services) -> Response[bytes]:
    """List the models that make pictures and texts."""
    context = services.context_for(request.auth)
    page = read_model_page(context.catalogue.listed(context.listing), request.query_params)
    return json_response(native_list(page.models, page.next_token))


@get("/models/{name:path}")
async def retrieve_native_model(name: str, request: OwnedRequest, services: Services) -> Response[bytes]:
    """Describe one model that makes pictures or texts, by any of its names."""
    asked = name.removeprefix("/")
    model = native_model_named(asked, services.context_for(request.auth).catalogue)
    return json_response(native_model(msgspec.structs.replace(model, name=asked)))
