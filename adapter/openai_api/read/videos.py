"""What is asked of a video, wherever it is asked, into a wish."""

import msgspec

from adapter.domain.catalogue import Catalogue, VideoCard
from adapter.domain.orders import Source, VideoInput, VideoOrder, VideoWish
from adapter.errors import InvalidRequest
from adapter.openai_api.read.fields import seed
from adapter.openai_api.read.images import FORMATS
from adapter.openai_api.read.roles import cast_pictures
from adapter.openai_api.read.shape import read_shape


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """The words and pictures of a request, as they came."""

    model: str
    prompt: str
    size: str | None = None
    aspect_ratio: str | None = None
    #: As OpenAI's clients send it: a number, or digits.
    seconds: str | float | None = None
    seed: int | None = None
    pictures: tuple[Source, ...] = ()
    roles: tuple[str | None, ...] = ()
    #: The field that the pictures came in.
    pictures_param: str


def film(script: Script, catalogue: Catalogue) -> VideoWish:
    """Return the wish that a script means.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: it asks for what the model cannot do.
    """
    card, by_name = catalogue.find_card(script.model, VideoCard)
    if script.seconds is not None and str(script.seconds).removesuffix(".0") != str(card.seconds):
        raise InvalidRequest(
            f"The model '{script.model}' makes videos of {card.seconds} seconds only.", param="seconds"
        )
    kind, pictures = cast_pictures(script.pictures, script.roles, most=card.references, param=script.pictures_param)
    shape = read_shape(script.size, script.aspect_ratio, by_name)
    ratio, upstream = card.choose(shape, kind)
    is_open = kind is not VideoInput.TEXT and shape.ratio is None and shape.pixels is None
    return VideoWish(
        order=VideoOrder(
            model=script.model,
            provider=card.provider,
            upstream=upstream,
            prompt=script.prompt,
            ratio=ratio,
            seconds=card.seconds,
            seed=seed(script.seed),
            typical_seconds=card.typical_seconds,
            input=kind,
        ),
        sources=pictures,
        input_formats=tuple(FORMATS[word] for word in card.input_formats),
        shapes=card.names(kind) if is_open else {},
    )
