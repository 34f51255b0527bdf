"""A chat request into an order for a video or for pictures."""

from adapter.domain.catalogue import ImageCard
from adapter.domain.orders import ImageOrder, VideoWish
from adapter.openai_api.read.context import ReadContext
from adapter.openai_api.read.conversation import PARAM, read_wish, with_fields
from adapter.openai_api.read.fields import prompt, required
from adapter.openai_api.read.flagged import cast_by_flags, refuse_video_flags, with_flags, without_flags
from adapter.openai_api.read.images import image_order
from adapter.openai_api.read.markup import split_model
from adapter.openai_api.read.picture_sets import field_of
from adapter.openai_api.read.turns import turns_in
from adapter.openai_api.read.videos import Script, film
from adapter.openai_api.wire.chat import ChatRequest
from adapter.openai_api.wire.images import ImagesRequest


def wants_pictures(body: ChatRequest, context: ReadContext) -> bool:
    """Say whether the model of a request makes pictures; else it makes videos.

    Raises:
        UnknownModel: no such model.
    """
    name, _ = split_model(required(body.model, "model"), context.catalogue)
    return isinstance(context.catalogue.find(name).card, ImageCard)


def picture_order(body: ChatRequest, context: ReadContext) -> ImageOrder:
    """Return the order for pictures that a conversation means.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is missing, or asks for what the model or this server cannot do.
    """
    messages, flags = without_flags(turns_in(required(body.messages, PARAM)), context)
    refuse_video_flags(flags, body.model or "")
    body = with_flags(body, flags)
    is_open = not body.pictures and not any(isinstance(ref, str) for ref in flags.refs)
    wish = with_fields(read_wish(messages, context.public_url, look_back=is_open), body.pictures, context.public_url)
    wish = cast_by_flags(wish, flags, context.public_url)
    request = ImagesRequest(
        model=body.model,
        prompt=prompt(wish.text, context.longest_prompt, PARAM),
        n=body.n,
        size=body.size,
        aspect_ratio=body.aspect_ratio,
        resolution=body.resolution,
        quality=body.quality,
        seconds=body.seconds,
        seed=body.seed,
        pictures=body.pictures,
        names=body.names,
        size_policy=body.size_policy,
        output_format=body.output_format,
        output_compression=body.output_compression,
        background=body.background,
        style=body.style,
    )
    return image_order(request, context, wish.pictures)


def video_wish(body: ChatRequest, context: ReadContext) -> VideoWish:
    """Return what video a conversation means: its last user message is the prompt, with its pictures.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is missing, or asks for what the model or this server cannot do.
    """
    name, _ = split_model(required(body.model, "model"), context.catalogue)
    messages, flags = without_flags(turns_in(required(body.messages, PARAM)), context)
    body = with_flags(body, flags)
    wish = with_fields(read_wish(messages, context.public_url, look_back=False), body.pictures, context.public_url)
    wish = cast_by_flags(wish, flags, context.public_url)
    script = Script(
        model=name,
        prompt=prompt(wish.text, context.longest_prompt, PARAM),
        pictures=wish.pictures,
        roles=wish.roles,
        pictures_param=field_of(body.pictures, PARAM),
    )
    return film(body, script, context)
