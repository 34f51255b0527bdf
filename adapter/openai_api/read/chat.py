"""A chat request into an order for a video."""

from adapter.domain.catalogue import Catalogue, VideoCard
from adapter.domain.orders import VideoOrder
from adapter.errors import InvalidRequest
from adapter.openai_api.read.fields import prompt, required, seed
from adapter.openai_api.read.shape import read_shape
from adapter.openai_api.wire.chat import ChatRequest, Message


def video_order(body: ChatRequest, catalogue: Catalogue, *, longest: int) -> VideoOrder:
    """Return the order that a conversation means: its last user message is the prompt.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is missing, or asks for what the model or this server cannot do.
    """
    name = required(body.model, "model")
    card, by_name = catalogue.find_card(name, VideoCard)
    if body.n not in {None, 1}:
        raise InvalidRequest("One request makes one video; 'n' has to be 1.", param="n")
    if body.seconds is not None and str(body.seconds).removesuffix(".0") != str(card.seconds):
        raise InvalidRequest(f"The model '{name}' makes videos of {card.seconds} seconds only.", param="seconds")
    if body.resolution is not None:
        raise InvalidRequest(f"The model '{name}' has one resolution; leave it out.", param="resolution")
    ratio, upstream = card.choose(read_shape(body.size, body.aspect_ratio, by_name))
    return VideoOrder(
        model=name,
        provider=card.provider,
        upstream=upstream,
        prompt=prompt(_last_wish(required(body.messages, "messages")), longest, "messages"),
        ratio=ratio,
        seconds=card.seconds,
        seed=seed(body.seed),
        typical_seconds=card.typical_seconds,
    )


def _last_wish(messages: tuple[Message, ...]) -> str:
    last = next((message for message in reversed(messages) if message.role == "user"), None)
    if last is None:
        raise InvalidRequest("There is no message of role 'user' to make a video from.", param="messages")
    if isinstance(last.content, str) or last.content is None:
        return last.content or ""
    for part in last.content:
        if part.type != "text":
            raise InvalidRequest(
                f"This model makes videos from text; it cannot use a part of type '{part.type}'. Allowed: text.",
                param="messages",
            )
    return "\n".join(part.text or "" for part in last.content)
