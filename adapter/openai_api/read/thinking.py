"""Words for how long a model thinks: Google's own are exact, OpenAI's mean the nearest level that a model has."""

from collections.abc import Mapping
from typing import Final

from adapter.domain.catalogue import ImageCard
from adapter.domain.thinking import ThinkingLevel, nearest
from adapter.errors import InvalidRequest
from adapter.openai_api.read.fields import one_of, word_of
from adapter.openai_api.wire.media import MediaRequest

#: OpenAI's words for the effort of reasoning.
EFFORTS: Final[Mapping[str, ThinkingLevel]] = {
    **{level.value: level for level in ThinkingLevel},
    "none": ThinkingLevel.MINIMAL,
    "max": ThinkingLevel.XHIGH,
}
#: OpenAI's words for `complexity`.
COMPLEXITIES: Final = ("low", "medium", "high")
#: Leave it to the model.
OPEN: Final = frozenset({"auto", "default", "thinking_level_unspecified"})


def level_of(value: object, name: str) -> str | None:
    """Return a level by Google's name, in small letters; None where the field leaves it open.

    Raises:
        InvalidRequest: it is no text.
    """
    word = word_of(value, name).strip().lower()
    return None if word in OPEN else word


def effort_of(value: object, name: str) -> str | None:
    """Return an effort by OpenAI's name; None where the field leaves it open.

    Raises:
        InvalidRequest: there is no such effort.
    """
    word = level_of(value, name)
    return None if word is None else one_of(word, [*EFFORTS], name)


def complexity_of(value: object, name: str) -> str | None:
    """Return OpenAI's `complexity`; None where the field leaves it open.

    Raises:
        InvalidRequest: there is no such word.
    """
    word = level_of(value, name)
    return None if word is None else one_of(word, [*COMPLEXITIES], name)


def thinking_of(request: MediaRequest, card: ImageCard) -> ThinkingLevel | None:
    """Return the level that a request asks for; None leaves it to the model.

    The first of `thinking_level`, `complexity` and `reasoning_effort` counts: at OpenAI, too, a `complexity` is
    stronger than an effort. An effort means nothing to a model without levels: programs send it with every model.

    Raises:
        InvalidRequest: the model does not have the level, or it has none and the request asks for one.
    """
    if request.thinking_level is not None:
        return _exact(request.thinking_level, request.called("thinking_level"), card)
    if request.complexity is not None:
        if not card.thinking:
            raise _no_levels(card, request.called("complexity"))
        return nearest(EFFORTS[request.complexity], card.thinking)
    if request.reasoning_effort is None or not card.thinking:
        return None
    return nearest(EFFORTS[request.reasoning_effort], card.thinking)


def _exact(word: str, name: str, card: ImageCard) -> ThinkingLevel:
    if not card.thinking:
        raise _no_levels(card, name)
    return ThinkingLevel(one_of(word, [level.value for level in card.thinking], name))


def _no_levels(card: ImageCard, name: str) -> InvalidRequest:
    return InvalidRequest(f"How the model '{card.name}' thinks cannot be chosen; leave '{name}' out.", param=name)
