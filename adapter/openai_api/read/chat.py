"""A chat request into an order for a video or for pictures."""

import msgspec

from adapter.domain.catalogue import ImageCard
from adapter.domain.orders import ImageOrder, VideoDraft
from adapter.openai_api.read.context import ReadContext
from adapter.openai_api.read.conversation import (
    Conversation,
    Wish,
    read_wish,
    request_for,
    with_fields,
    without_roles,
)
from adapter.openai_api.read.fields import required
from adapter.openai_api.read.flagged import cast_by_flags, refuse_video_flags, with_flags, without_flags
from adapter.openai_api.read.flags import Flags
from adapter.openai_api.read.images import image_order
from adapter.openai_api.read.markup import split_model
from adapter.openai_api.read.turns import turns_in
from adapter.openai_api.read.videos import video_draft
from adapter.openai_api.wire.chat import ChatRequest
from adapter.openai_api.wire.media import MediaRequest

#: The field that has the conversation.
PARAM = "messages"


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
    media = body.media
    conversation, flags = without_flags(_conversation(body, context), context.longest_prompt)
    refuse_video_flags(flags, media.model or "", PARAM)
    is_open = not media.pictures and not any(isinstance(ref, str) for ref in flags.refs)
    wish = without_roles(read_wish(conversation, look_back=is_open))
    return image_order(_request(wish, media, flags, conversation), context)


def chat_video_draft(body: ChatRequest, context: ReadContext) -> VideoDraft:
    """Return what video a chat means.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is missing, or asks for what the model or this server cannot do.
    """
    name, _ = split_model(required(body.media.model, "model"), context.catalogue)
    media = msgspec.structs.replace(body.media, model=name)
    return conversation_video_draft(media, _conversation(body, context), context)


def conversation_video_draft(media: MediaRequest, conversation: Conversation, context: ReadContext) -> VideoDraft:
    """Return what video a conversation means: its last user message is the prompt, with its pictures.

    Raises:
        UnknownModel, InvalidRequest: as `chat_video_draft`.
    """
    conversation, flags = without_flags(conversation, context.longest_prompt)
    wish = read_wish(conversation, look_back=False)
    return video_draft(_request(wish, media, flags, conversation), context)


def _conversation(body: ChatRequest, context: ReadContext) -> Conversation:
    return Conversation(turns_in(required(body.messages, PARAM)), PARAM, context.media_links)


def _request(wish: Wish, media: MediaRequest, flags: Flags, conversation: Conversation) -> MediaRequest:
    """Return what a request says of media in its fields, its flags, and its last turn."""
    wish = cast_by_flags(with_fields(wish, media, conversation), flags, conversation)
    return request_for(wish, with_flags(media, flags), conversation.param)
