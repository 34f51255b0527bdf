"""Pictures to work from that go to the Files API, from OpenAI's client to the sandbox and back."""

from collections.abc import Iterator

import openai
import pytest

from tests.fakes import png
from tests.journeys.server import Connect, Server

MODEL = "gemini-nano-banana-2.1"
#: What the sandbox counts for a picture.
TOKENS = 258


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that sends nothing but small pictures inside of its requests."""
    environ = {"ADAPTER__PROVIDERS__GEMINI__INLINE_BYTES": "1000"}
    running = Server(tmp_path_factory.mktemp("small"), environ=environ)
    running.start()
    yield running
    assert running.stop() == 0


def given(client: openai.OpenAI, prompt: str, *files: bytes) -> int:
    """Return how many pictures an edit was made from, as the sandbox counts them."""
    made = client.images.edit(model=MODEL, image=[("a.png", file) for file in files], prompt=prompt)
    assert made.usage
    return made.usage.input_tokens_details.image_tokens // TOKENS


def test_an_edit_of_large_pictures_is_made_from_uploads(small: Server, connect: Connect) -> None:
    """Each of them is uploaded once, however often it is worked from; a small one stays inside of the request."""
    large, other = png(90, 160) + bytes(2_000), png(160, 90) + bytes(2_000)
    with connect(small) as client:
        counts = [
            given(client, "blue", large, other),
            given(client, "red", large),
            given(client, "green", png(90, 160)),
        ]
        uploads = small.asked("omni.upload")

    assert counts == [2, 1, 1]
    assert uploads == 4  # an announcement and the bytes, of two files
