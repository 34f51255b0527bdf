"""Open WebUI: a picture and a video in a chat, and what it asks beside them."""

import msgspec

from tests.e2e.programs import Media, Program, Visitor
from tests.journeys.server import Server


class Size(msgspec.Struct, frozen=True):
    """The size of a picture in pixels."""

    width: int
    height: int


class Pictures(msgspec.Struct, frozen=True):
    """What Open WebUI's own engine made."""

    made: Size
    changed: Size


class Seen(msgspec.Struct, frozen=True):
    """What a user saw."""

    #: The lines below "Thinking".
    told: str
    seen: Media
    #: The same after the page was loaded again.
    reloaded: Media


def test_a_video_plays_in_open_webui(server: Server, in_open_webui: Program, visitor: Visitor) -> None:
    """With progress, a title that cost nothing, and one execution; a reload shows it again and costs nothing."""
    prompt = "a lighthouse in a storm"
    seen = visitor.visit(
        in_open_webui,
        Seen,
        model="veo-3.1-fast",
        prompt=prompt,
        progress=r"Making the video: [3-9]\d %",
        tag="video",
        title="A lighthouse in a storm",
    )
    visitor.keep("progress", "open-webui-progress")
    visitor.keep("answer", "open-webui-video")

    assert "about" in seen.told
    assert seen.seen.ready >= 2
    assert (seen.seen.width, seen.seen.height, seen.seen.fits) == (1280, 720, True)
    assert seen.reloaded.ready >= 2
    assert server.models(prompt) == ["veo_3_1_t2v_fast"]
    assert server.executions() == 1
    assert [kind for kind in ("title", "tags", "follow_ups") if f'"kind": "{kind}"' not in server.log] == []


def test_a_picture_shows_in_open_webui(server: Server, in_open_webui: Program, visitor: Visitor) -> None:
    """With one execution as well."""
    prompt = "a red fox in the snow"
    seen = visitor.visit(
        in_open_webui,
        Seen,
        model="gemini-3.1-flash-image-landscape",
        prompt=prompt,
        progress=r"Making the picture",
        tag="img",
        title="A red fox in the snow",
    )
    visitor.keep("answer", "open-webui-picture")

    assert seen.seen.ready == seen.reloaded.ready == 4
    assert seen.seen.width >= 512
    assert server.executed(prompt) == server.executions() == 1


def test_open_webuis_gemini_engine_makes_and_changes_a_picture(
    server_with_texts: Server, in_open_webui_with_pictures: Program, visitor: Visitor
) -> None:
    """With `IMAGE_GENERATION_ENGINE=gemini`, beside chats of a text model: all of it by one key of the adapter."""
    prompt, change = "an owl with a lantern", "give the owl a hat"
    seen = visitor.visit(
        in_open_webui_with_pictures,
        Pictures,
        model="gemini-3.8-flash",
        prompt=prompt,
        change=change,
        said="Emulated words",
    )
    visitor.keep("answer", "open-webui-gemini-engine")

    assert min(seen.made.width, seen.changed.width) >= 512
    assert "gemini-nano-banana-2.1" in server_with_texts.models(prompt)
    assert "gemini-nano-banana-2.1" in server_with_texts.models(change)
