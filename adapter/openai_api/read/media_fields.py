"""Fields of a media request that orders for pictures and for videos read alike."""

from typing import TypeVar

from adapter.domain.catalogue import ImageCard, VideoCard
from adapter.domain.media import Ratio
from adapter.errors import InvalidRequest, UnknownModel
from adapter.openai_api.read.context import ReadContext
from adapter.openai_api.read.fields import prompt, required
from adapter.openai_api.wire.media import MediaRequest

_Card = TypeVar("_Card", ImageCard, VideoCard)


def card_of(request: MediaRequest, name: str, kind: type[_Card], context: ReadContext) -> tuple[_Card, Ratio | None]:
    """Return the card of a model of one kind, and the shape that its name asks for.

    Raises:
        UnknownModel: nothing of that name.
        InvalidRequest: the model is of another kind.
    """
    try:
        return context.catalogue.find_card(name, kind)
    except (InvalidRequest, UnknownModel) as fault:
        fault.param = request.called("model")
        raise


def prompt_of(request: MediaRequest, context: ReadContext) -> str:
    """Return the words of a request.

    Raises:
        InvalidRequest: there are none, or too many.
    """
    name = request.called("prompt")
    return prompt(required(request.prompt, name), context.longest_prompt, name)
