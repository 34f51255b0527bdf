"""A chat request into an order for a video or for pictures."""

from adapter.domain.catalogue import ImageCard, VideoCard
from adapter.domain.orders import ImageOrder, VideoOrder
from adapter.errors import InvalidRequest
from adapter.openai_api.read.conversation import PARAM, read_wish
from adapter.openai_api.read.fields import prompt, required, seed
from adapter.openai_api.read.images import image_order
from adapter.openai_api.read.shape import read_shape
from adapter.openai_api.read.terms import Terms
from adapter.openai_api.wire.chat import ChatRequest
from adapter.openai_api.wire.images import ImagesRequest


def wants_pictures(body: ChatRequest, terms: Terms) -> bool:
    """Say whether the model of a request makes pictures; else it makes videos.

    Raises:
        UnknownModel: no such model.
    """
    return isinstance(terms.catalogue.find(required(body.model, "model")).card, ImageCard)


def picture_order(body: ChatRequest, terms: Terms) -> ImageOrder:
    """Return the order for pictures that a conversation means.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is missing, or asks for what the model or this server cannot do.
    """
    wish = read_wish(required(body.messages, PARAM), terms.public_url, look_back=True)
    request = ImagesRequest(
        model=body.model,
        prompt=prompt(wish.text, terms.longest_prompt, PARAM),
        n=body.n,
        size=body.size,
        aspect_ratio=body.aspect_ratio,
        image_size=body.image_size,
        image_config=body.image_config or body.image_config_in_camel,
        quality=body.quality,
        seed=body.seed,
    )
    return image_order(request, terms, wish.pictures)


def video_order(body: ChatRequest, terms: Terms) -> VideoOrder:
    """Return the order for a video that a conversation means: its last user message is the prompt.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is missing, or asks for what the model or this server cannot do.
    """
    name = required(body.model, "model")
    card, by_name = terms.catalogue.find_card(name, VideoCard)
    if body.n not in {None, 1}:
        raise InvalidRequest("One request makes one video; 'n' has to be 1.", param="n")
    if body.seconds is not None and str(body.seconds).removesuffix(".0") != str(card.seconds):
        raise InvalidRequest(f"The model '{name}' makes videos of {card.seconds} seconds only.", param="seconds")
    if body.resolution is not None:
        raise InvalidRequest(f"The model '{name}' has one resolution; leave it out.", param="resolution")
    wish = read_wish(required(body.messages, PARAM), terms.public_url, look_back=False)
    if wish.pictures:
        raise InvalidRequest(
            f"The model '{name}' makes videos from text; it cannot use the picture. Allowed: text.", param=PARAM
        )
    ratio, upstream = card.choose(read_shape(body.size, body.aspect_ratio, by_name))
    return VideoOrder(
        model=name,
        provider=card.provider,
        upstream=upstream,
        prompt=prompt(wish.text, terms.longest_prompt, PARAM),
        ratio=ratio,
        seconds=card.seconds,
        seed=seed(body.seed),
        typical_seconds=card.typical_seconds,
    )
