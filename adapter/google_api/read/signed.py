"""Earlier turns whose pictures Google signed: they go to Google again as they came.

Without signatures such a picture is a picture of the last turn, and Google does not know that it made it.
"""

from collections.abc import Iterator, Sequence

import msgspec

from adapter.domain.media import probe
from adapter.domain.media_links import MediaLinks
from adapter.domain.orders import EarlierTurn, ImageOrder, InlineSource, Source, TurnPart
from adapter.errors import InvalidRequest
from adapter.google_api.read.contents import parts_of, turns_of
from adapter.google_api.wire.requests import Content, Part
from adapter.openai_api.read.pictures import read_picture

USER, MODEL = "user", "model"
#: The most that the pictures of earlier turns may have together, in bytes. Google takes 100 MB of base64 in all.
MOST_BYTES = 48 * 1024 * 1024


class SignedTurns(msgspec.Struct, frozen=True):
    """The turns before the last one of the user, and their pictures."""

    turns: tuple[EarlierTurn, ...]
    sources: tuple[Source, ...]

    def before(self, order: ImageOrder) -> ImageOrder:
        """Return an order with these turns before its prompt."""
        return msgspec.structs.replace(order, turns=self.turns, sources=(*self.sources, *order.sources))


def read_signed_turns(
    contents: Sequence[Content] | Content | None, links: MediaLinks, most_pictures: int
) -> SignedTurns | None:
    """Return the turns before the last one of the user; None if they cannot go to Google as they are.

    That is if the model made no picture in them, if one of its pictures has no signature, if a picture cannot be read,
    or if there are too many. Then the last of the pictures is worked from, as in every chat.
    """
    turns = turns_of(contents)
    asked = max((at for at, turn in enumerate(turns) if (turn.role or USER) == USER), default=0)
    earlier = [turn for turn in turns[:asked] if (turn.role or USER) in {USER, MODEL}]
    made = [part for turn in earlier if turn.role == MODEL for part in parts_of(turn) if part.inline_data is not None]
    if not made or not all(part.thought_signature for part in made):
        return None
    try:
        read = _Reader(links)
        found = tuple(filter(None, map(read.turn, earlier)))
    except InvalidRequest:
        return None
    count = len(read.sources) + sum(part.inline_data is not None for part in parts_of(turns[asked]))
    is_too_much = sum(len(one.data) for one in read.sources) > MOST_BYTES or count > most_pictures
    return None if is_too_much else SignedTurns(found, tuple(read.sources))


class _Reader:
    """Reads turns, and collects their pictures."""

    def __init__(self, links: MediaLinks) -> None:
        self._links = links
        self.sources = list[InlineSource]()

    def turn(self, turn: Content) -> EarlierTurn | None:
        """Return a turn; None if it has nothing to show.

        Raises:
            InvalidRequest: one of its pictures is none.
        """
        parts = tuple(read for part in parts_of(turn) for read in self._parts(part))
        return EarlierTurn(role="model" if turn.role == MODEL else "user", parts=parts) if parts else None

    def _parts(self, part: Part) -> Iterator[TurnPart]:
        signature = part.thought_signature or ""
        if part.text:
            yield TurnPart(text=part.text, signature=signature)
        if part.inline_data is not None:
            source = read_picture({"type": "image", "data": part.inline_data.data}, self._links, "contents")
            if not isinstance(source, InlineSource) or probe(source.data) is None:
                raise InvalidRequest("It is no picture.")
            self.sources.append(source)
            yield TurnPart(picture=len(self.sources) - 1, signature=signature)
