"""`predict`, the route of Google's Imagen models, into an order for pictures. These models are off; clients are not."""

import msgspec

from adapter.domain.orders import ImageOrder
from adapter.errors import InvalidRequest
from adapter.google_api.read.bodies import media_of, read_native
from adapter.google_api.read.models import picture_card
from adapter.google_api.wire.requests import PredictInstance, PredictRequest
from adapter.openai_api.read.context import ReadContext
from adapter.openai_api.read.images import image_order

PARAMETERS = "parameters"


def read_predict(body: bytes, model: str, context: ReadContext) -> ImageOrder:
    """Return the order that a request for a model means.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is unknown or missing, or asks for what the model or this server cannot do.
        RequestTooLarge: it has too many values.
    """
    picture_card(model, context.catalogue)
    request = read_native(body, PredictRequest)
    instances = [request.instances] if isinstance(request.instances, PredictInstance) else request.instances
    if len(instances) != 1:
        raise InvalidRequest("'instances' has to have one instance.", param="instances")
    media = media_of({**msgspec.to_builtins(instances[0]), PARAMETERS: msgspec.to_builtins(request.parameters)}, model)
    names = {**media.names, "prompt": "instances[0].prompt"}
    return image_order(msgspec.structs.replace(media, names=names), context)
