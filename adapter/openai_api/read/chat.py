"""A chat request into an order for a video or for pictures."""

import msgspec

from adapter.domain.catalogue import ImageCard
from adapter.domain.orders import ImageOrder, VideoDraft
from adapter.openai_api.read.context import ReadContext
from adapter.openai_api.read.conversation import PARAM, Wish, read_wish, request_for, with_fields, without_roles
from adapter.openai_api.read.fields import required
from adapter.openai_api.read.flagged import cast_by_flags, refuse_video_flags, with_flags, without_flags
from adapter.openai_api.read.flags import Flags
from adapter.openai_api.read.images import image_order
from adapter.openai_api.read.markup import split_model
from adapter.openai_api.read.turns import turns_in
from adapter.openai_api.read.videos import video_draft
from adapter.openai_api.wire.chat import ChatRequest
from adapter.openai_api.wire.media import MediaRequest


def wants_pictures(body: ChatRequest, context: ReadContext) -> bool:
    """Say whether the model of a request makes pictures; else it makes videos.

    Raises:
        UnknownModel: no such model.
    """
    name, _ = split_model(required(body.media.model, "model"), context.catalogue)
    return isinstance(context.catalogue.find(name).card, ImageCard)


def chat_image_order(body: ChatRequest, context: ReadContext) -> ImageOrder:
    """Return the order for pictures that a conversation means.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is missing, or asks for what the model or this server cannot do.
    """
    spoken, flags = _without_flags(body, context)
    refuse_video_flags(flags, body.media.model or "")
    is_open = not body.media.pictures and not any(isinstance(ref, str) for ref in flags.refs)
    wish = without_roles(read_wish(turns_in(spoken.messages), context.public_url, look_back=is_open))
    return image_order(_request(wish, spoken.media, flags, context), context)


def chat_video_draft(body: ChatRequest, context: ReadContext, *, param: str = PARAM) -> VideoDraft:
    """Return what video a conversation means: its last user message is the prompt, with its pictures.

    `param` is what the request calls its conversation.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is missing, or asks for what the model or this server cannot do.
    """
    name, _ = split_model(required(body.media.model, "model"), context.catalogue)
    spoken, flags = _without_flags(body, context)
    wish = read_wish(turns_in(spoken.messages), context.public_url, look_back=False)
    request = _request(wish, spoken.media, flags, context, param=param)
    return video_draft(msgspec.structs.replace(request, model=name), context)


def _without_flags(body: ChatRequest, context: ReadContext) -> tuple[ChatRequest, Flags]:
    messages, flags = without_flags(turns_in(required(body.messages, PARAM)), context)
    return msgspec.structs.replace(body, messages=messages), flags


def _request(
    wish: Wish, media: MediaRequest, flags: Flags, context: ReadContext, *, param: str = PARAM
) -> MediaRequest:
    """Return what a chat says of media in its fields, its flags, and its last turn."""
    wish = with_fields(wish, media, context.public_url, param=param)
    wish = cast_by_flags(wish, flags, context.public_url)
    return request_for(wish, with_flags(media, flags))
