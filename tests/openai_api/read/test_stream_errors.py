"""Whether a failure inside a stream is told in words as well."""

import pytest

from adapter.domain.stream_errors import StreamErrors
from adapter.openai_api.read.stream_errors import tells_failures_in_words


@pytest.mark.parametrize(
    ("agent", "in_words"),
    [
        ("langchainjs-openai/1.0.0", False),  # LibreChat: a red box
        ("Python/3.11 aiohttp/3.12.15", False),  # Open WebUI: a box and a note
        ("Next.js Middleware", True),  # NextChat shows no error
        ("node-fetch", True),  # SillyTavern's note vanishes
        ("OpenAI/JS 4.104.0", True),  # LobeChat's versions differ
        ("OpenAI/Python 3.57.0", True),
        ("ai-sdk/openai-compatible/1.0.0", True),
        ("node", True),
        ("Mozilla/5.0 Chrome/140.0 Electron/38.0", True),
        ("curl/8.5.0", True),
        ("", True),
    ],
)
def test_auto_leaves_the_words_out_only_where_the_error_is_known_to_be_shown(agent: str, *, in_words: bool) -> None:
    """An empty answer is worse than the same words twice."""
    assert tells_failures_in_words(StreamErrors.AUTO, agent) is in_words
    assert tells_failures_in_words(StreamErrors.BOTH, agent)
    assert not tells_failures_in_words(StreamErrors.FRAME, agent)
