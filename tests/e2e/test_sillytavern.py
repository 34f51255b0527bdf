"""SillyTavern: a picture and a video, once external media is allowed."""

import msgspec

from tests.e2e.programs import Media, Program, Visitor
from tests.journeys.server import KEY, Server


class Seen(msgspec.Struct, frozen=True):
    """What a user saw."""

    #: The lines below "Thinking".
    told: str
    #: Pictures or players in the answer while external media is forbidden, as it is by default.
    forbidden: int
    seen: Media


def test_a_video_plays_in_sillytavern(server: Server, in_sillytavern: Program, visitor: Visitor) -> None:
    """With progress, and one execution."""
    prompt = "waves at sunset"
    seen = visitor.visit(
        in_sillytavern,
        Seen,
        base=f"{server.url}/v1",
        key=KEY,
        model="veo-3.1-fast",
        prompt=prompt,
        progress=r"Making the video: [3-9]\d %",
        tag="video",
    )
    visitor.keep("settings", "sillytavern-settings")
    visitor.keep("progress", "sillytavern-progress")
    visitor.keep("answer", "sillytavern-video")

    assert "about" in seen.told
    assert seen.forbidden == 0
    assert seen.seen.ready >= 2
    assert (seen.seen.width, seen.seen.height, seen.seen.fits) == (1280, 720, True)
    assert server.executed(prompt) == server.executions() == 1


def test_a_picture_shows_in_sillytavern(server: Server, in_sillytavern: Program, visitor: Visitor) -> None:
    """With one execution as well."""
    prompt = "a red fox in the snow"
    seen = visitor.visit(
        in_sillytavern,
        Seen,
        base=f"{server.url}/v1",
        key=KEY,
        model="gemini-3.1-flash-image-landscape",
        prompt=prompt,
        progress=r"Making the picture",
        tag="img",
    )
    visitor.keep("answer", "sillytavern-picture")

    assert seen.forbidden == 0
    assert seen.seen.ready == 4
    assert server.executed(prompt) == server.executions() == 1
