"""Whether a failure inside a stream is also told in words."""

from typing import Final

from adapter.domain.stream_errors import StreamErrors
from adapter.openai_api.read.agents import LIBRECHAT, OPEN_WEBUI

#: These programs were seen to show the error and to keep it beside the message. Others do less: NextChat shows nothing,
#: SillyTavern shows a note that vanishes, and LobeChat's versions differ. Without a text their users may see an empty
#: answer, and that is worse than the same words twice.
SHOWS_THE_ERROR: Final = (OPEN_WEBUI, LIBRECHAT)


def tells_failures_in_words(wish: StreamErrors, agent: str) -> bool:
    """Say whether a text comes before the error, by the operator's choice and the program's User-Agent."""
    if wish is not StreamErrors.AUTO:
        return wish is StreamErrors.BOTH
    return not any(known.match(agent) for known in SHOWS_THE_ERROR)
