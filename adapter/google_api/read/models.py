"""The model that an address names, and pages of the list of models."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from adapter.domain.catalogue import Catalogue, ImageCard, Model, TextCard
from adapter.domain.numbers import whole_number
from adapter.errors import InvalidRequest

#: Google's own (reference: `gemini-native-routes.md` section 3).
USUAL_PAGE = 50
LONGEST_PAGE = 1000


class ModelPage(msgspec.Struct, frozen=True):
    """A part of the list of models."""

    models: Sequence[Model]
    #: The name of its last model, if the list goes on.
    next_token: str | None


def picture_card(name: str, catalogue: Catalogue) -> ImageCard:
    """Return the card of a model that makes pictures.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: it makes videos.
    """
    card = catalogue.find(name).card
    if isinstance(card, TextCard):
        raise InvalidRequest(
            f"The model '{name}' writes texts. Its methods are generateContent and streamGenerateContent.",
            param="model",
        )
    if not isinstance(card, ImageCard):
        raise InvalidRequest(
            f"The model '{name}' makes {card.kind}s, which are no part of generateContent here. POST /v1/videos makes "
            "them.",
            param="model",
        )
    return card


def native_model_named(name: str, catalogue: Catalogue) -> Model:
    """Return the model of a name, if it has methods here.

    Raises:
        UnknownModel, InvalidRequest: as `picture_card`.
    """
    if catalogue.find_text(name) is None:
        picture_card(name, catalogue)
    return catalogue.find(name)


def read_model_page(models: Iterable[Model], query: Mapping[str, str]) -> ModelPage:
    """Return the part of a list that a query asks for, without models that make videos.

    Google takes a size above its limit for the limit.

    Raises:
        InvalidRequest: the size is no number, or the token was not given by this list.
    """
    text = query.get("pageSize") or query.get("page_size") or str(USUAL_PAGE)
    size = whole_number(text, most=2**31 - 1)
    if size is None:
        raise InvalidRequest("'page_size' has to be a whole number.", param="page_size")
    size = min(size, LONGEST_PAGE) or USUAL_PAGE
    listed = [each for each in models if isinstance(each.card, ImageCard | TextCard)]
    begin = _place([each.name for each in listed], query.get("pageToken") or query.get("page_token"))
    shown = listed[begin : begin + size]
    return ModelPage(shown, shown[-1].name if begin + size < len(listed) else None)


def _place(names: Sequence[str], token: str | None) -> int:
    if not token:
        return 0
    if token not in names:
        raise InvalidRequest("'page_token' is none of this list.", param="page_token")
    return names.index(token) + 1
