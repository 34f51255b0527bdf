"""A chat request into an order for a video or for pictures."""

from adapter.domain.catalogue import ImageCard
from adapter.domain.orders import ImageOrder, VideoWish
from adapter.errors import InvalidRequest
from adapter.openai_api.read.conversation import PARAM, read_wish
from adapter.openai_api.read.fields import prompt, required
from adapter.openai_api.read.flagged import cast_by_flags, refuse_video_flags, with_flags, without_flags
from adapter.openai_api.read.images import image_order
from adapter.openai_api.read.markup import split_model
from adapter.openai_api.read.terms import Terms
from adapter.openai_api.read.videos import Script, film
from adapter.openai_api.wire.chat import ChatRequest
from adapter.openai_api.wire.images import ImagesRequest


def wants_pictures(body: ChatRequest, terms: Terms) -> bool:
    """Say whether the model of a request makes pictures; else it makes videos.

    Raises:
        UnknownModel: no such model.
    """
    name, _ = split_model(required(body.model, "model"), terms.catalogue)
    return isinstance(terms.catalogue.find(name).card, ImageCard)


def picture_order(body: ChatRequest, terms: Terms) -> ImageOrder:
    """Return the order for pictures that a conversation means.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is missing, or asks for what the model or this server cannot do.
    """
    messages, flags = without_flags(required(body.messages, PARAM), terms)
    refuse_video_flags(flags, body.model or "")
    body = with_flags(body, flags)
    is_open = not any(isinstance(ref, str) for ref in flags.refs)
    wish = cast_by_flags(read_wish(messages, terms.public_url, look_back=is_open), flags, terms.public_url)
    request = ImagesRequest(
        model=body.model,
        prompt=prompt(wish.text, terms.longest_prompt, PARAM),
        n=body.n,
        size=body.size,
        aspect_ratio=body.aspect_ratio,
        image_size=body.image_size,
        image_config=body.image_config,
        image_config_in_camel=body.image_config_in_camel,
        size_policy=body.size_policy,
        quality=body.quality,
        output_format=body.output_format,
        output_compression=body.output_compression,
        background=body.background,
        style=body.style,
        seed=body.seed,
    )
    return image_order(request, terms, wish.pictures)


def video_wish(body: ChatRequest, terms: Terms) -> VideoWish:
    """Return what video a conversation means: its last user message is the prompt, with its pictures.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is missing, or asks for what the model or this server cannot do.
    """
    name, _ = split_model(required(body.model, "model"), terms.catalogue)
    messages, flags = without_flags(required(body.messages, PARAM), terms)
    body = with_flags(body, flags)
    if body.n not in {None, 1}:
        raise InvalidRequest("One request makes one video; 'n' has to be 1.", param="n")
    wish = cast_by_flags(read_wish(messages, terms.public_url, look_back=False), flags, terms.public_url)
    return film(
        Script(
            model=name,
            prompt=prompt(wish.text, terms.longest_prompt, PARAM),
            size=body.size,
            aspect_ratio=body.aspect_ratio,
            resolution=body.resolution,
            seconds=body.seconds,
            seed=body.seed,
            pictures=wish.pictures,
            roles=wish.roles,
            pictures_param=PARAM,
        ),
        terms.catalogue,
    )
