"""Have a side call answered by a text model, where the operator asks for that."""

from collections.abc import Collection, Sequence

import msgspec
import structlog

from adapter.domain.ports import TextMaker
from adapter.domain.texts import TextLimits, Turn
from adapter.errors import UNREADABLE_JSON, AdapterError

log = structlog.get_logger()

#: The limits of a title: LibreChat gives up after 45 s. The tokens are enough for some thinking.
SECONDS = 10.0
TOKENS = 2048


class Texts:
    """Asks a text model. An error is logged only, because there is an answer without it."""

    def __init__(self, maker: TextMaker | None) -> None:
        self._maker = maker

    async def write(self, model: str, turns: Sequence[Turn], members: Collection[str]) -> str | None:
        """Return the model's answer, a JSON object if members of one are named; None if none can be used."""
        if self._maker is None or not model or not turns:
            return None
        if members:
            turns = [*turns, Turn("system", f"Answer with one JSON object of these members: {', '.join(members)}.")]
        limits = TextLimits(tokens=TOKENS, seconds=SECONDS, json=bool(members))
        try:
            text = await self._maker.make_text(model, turns, limits)
            written = msgspec.json.decode(text, type=dict[str, msgspec.Raw]) if members else {}
        except AdapterError as fault:
            log.warning("side_call.not_written", model=model, code=fault.code, reason=fault.message)
            return None
        except UNREADABLE_JSON:
            log.warning("side_call.not_written", model=model, reason="The answer is no JSON object.")
            return None
        if not set(members) <= set(written):
            log.warning("side_call.not_written", model=model, reason="The answer lacks what was asked for.")
            return None
        return text
