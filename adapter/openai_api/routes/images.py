"""`POST /v1/images/generations`."""

import msgspec
from litestar import post
from litestar.types import ASGIApp

from adapter.openai_api.read.body import read_json
from adapter.openai_api.read.images import Delivery, delivery, image_order
from adapter.openai_api.routes.desk import Desk, OwnedRequest, Pieces
from adapter.openai_api.wire.images import ImagesRequest
from adapter.openai_api.write.images import images_response, in_pieces
from adapter.openai_api.write.links import media_link


@post("/images/generations", status_code=200)
async def create_images(request: OwnedRequest, desk: Desk) -> ASGIApp:
    """Make pictures from a text."""
    body = read_json(await request.body(), ImagesRequest)
    order = image_order(body, desk.catalogue, longest=desk.longest_prompt)
    form = delivery(body)
    images = await desk.generation.make_images(order)
    created = int(desk.clock.now())
    if form is Delivery.BASE64:
        return Pieces(in_pieces(images, created=created))
    links = [media_link(desk.public_url, name) for name in await desk.generation.keep_images(images)]
    return Pieces([msgspec.json.encode(images_response(images, links, created=created))])
