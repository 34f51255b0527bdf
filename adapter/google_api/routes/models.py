"""`GET /v1beta/models` and `GET /v1beta/models/{name}`."""

import msgspec
from litestar import Response, get

from adapter.google_api.read.models import picture_card, read_model_page
from adapter.google_api.write.models import native_list, native_model
from adapter.openai_api.routes.services import OwnedRequest, Services, json_response


@get("/models")
async def list_native_models(request: OwnedRequest, services: Services) -> Response[bytes]:
    """List the models that make pictures."""
    context = services.context
    page = read_model_page(context.catalogue.listed(context.listing), request.query_params)
    return json_response(native_list(page.models, page.next_token))


@get("/models/{name:path}")
async def retrieve_native_model(name: str, services: Services) -> Response[bytes]:
    """Describe one model that makes pictures, by any of its names."""
    asked, catalogue = name.removeprefix("/"), services.context.catalogue
    picture_card(asked, catalogue)
    return json_response(native_model(msgspec.structs.replace(catalogue.find(asked), name=asked)))
