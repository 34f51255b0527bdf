"""`GET /v1/models` and `GET /v1/models/{id}`."""

import msgspec
from litestar import Response, get

from adapter.domain.catalogue import Listing
from adapter.openai_api.read.fields import switch
from adapter.openai_api.read.markup import split_model
from adapter.openai_api.routes.services import OwnedRequest, Services, json_response
from adapter.openai_api.write.models import model_list, model_object

#: On: every name is listed. Off: only the plain ones. Either is stronger than the configuration.
ALL = "all"


@get("/models")
async def list_models(request: OwnedRequest, services: Services) -> Response[bytes]:
    """List what is on offer: as the request says, else as the configuration does."""
    asked = {True: Listing.ALL, False: Listing.PLAIN, None: services.context_for(request.auth).listing}
    listing = asked[switch(request.query_params.get(ALL), ALL)]
    return json_response(model_list(services.context_for(request.auth).catalogue.listed(listing), services.clock.now()))


# A tail of the path: older Python clients send the slash of `vendor/model` as it is (reference: `openai.md` section 1).
@get("/models/{name:path}")
async def retrieve_model(name: str, request: OwnedRequest, services: Services) -> Response[bytes]:
    """Describe one model by any of its names, one with a markup behind it included."""
    catalogue, asked = services.context_for(request.auth).catalogue, name.removeprefix("/")
    found = catalogue.find(split_model(asked, catalogue)[0])
    return json_response(model_object(msgspec.structs.replace(found, name=asked), services.clock.now()))
