"""The studio for everyone: by keyboard, with a screen reader, on a phone, in the dark."""

import base64
from uuid import uuid4

import msgspec

from tests.fakes import png
from tests.journeys.server import Server
from tests.studio.visitor import Visitor


class Appearance(msgspec.Struct, frozen=True):
    """What axe and a ruler say."""

    base: str
    faults: list[str]
    #: By the state of the page, in pixels, in a window of 360.
    widths: dict[str, int]


def test_every_state_of_the_page_is_accessible_and_fits_a_phone(studio_server: Server, visitor: Visitor) -> None:
    """In light and dark, with nothing to scroll to the side."""
    seen = visitor.visit("appearance", Appearance, prompt=f"a fox {uuid4()}")

    assert seen.base == f"{studio_server.url}/v1"
    assert seen.faults == []
    assert len(seen.widths) == 9
    assert {state: width for state, width in seen.widths.items() if width > 360} == {}


class Keyboard(msgspec.Struct, frozen=True):
    """What a person saw who has no mouse."""

    model: str
    shape: str
    said: str
    #: What had the focus after a dialog, in the question, and after something was deleted.
    back: str
    safe: str
    after: str
    unseen: list[str]


def test_everything_can_be_done_by_keyboard(visitor: Visitor) -> None:
    """The focus is always seen, and it is never lost."""
    seen = visitor.visit("keyboard", Keyboard, prompt=f"a fox {uuid4()}")

    assert seen.model == "gemini-2.5-flash-image"
    assert seen.shape == "21:9"
    assert seen.said == "The picture is ready."
    assert (seen.back, seen.safe) == ("Code", "Keep it")
    assert seen.after == "gallery-heading"
    assert seen.unseen == []


class Inputs(msgspec.Struct, frozen=True, rename="camel"):
    """What a person saw who dropped and pasted pictures, and changed a video."""

    attached: int
    too_many: str
    cost: str
    price: str
    button: str
    #: The fields of the request that changes a video.
    body: list[str]
    made: str
    plain: str


def test_pictures_are_dropped_and_pasted_and_videos_are_edited(studio_server: Server, visitor: Visitor) -> None:
    """As far as the model takes them; an unknown price is said to be unknown."""
    prompt = f"a fox {uuid4()}"
    seen = visitor.visit("inputs", Inputs, prompt=prompt, picture=base64.b64encode(png()).decode())

    assert seen.attached == 2
    assert seen.too_many == "This model takes 3 pictures at most. Remove 1, or choose another model."
    assert (seen.cost, seen.price) == ("price unknown", "about $0.069")
    assert (seen.button, seen.plain) == ("Edit the video", "Make the video")
    assert seen.body == ["prompt", "video"]
    assert seen.made == f"{prompt}, at night"
    assert studio_server.executed(f"{prompt}, at night") == 1


class Strange(msgspec.Struct, frozen=True, rename="camel"):
    """What a person saw who gave and set what is unusual."""

    refused: str
    attached: int
    name: str
    directions: list[str]
    #: Whether what is chosen looks like what is not, with a contrast theme.
    are_alike: list[bool]
    kept: int


def test_strange_files_writing_themes_and_deleted_data_are_borne(visitor: Visitor) -> None:
    """A refusal is seen, HEIC needs no type, and a deleted store is begun anew."""
    seen = visitor.visit("strange", Strange, prompt=f"ثعلب أحمر في الثلج! {uuid4()}")

    assert seen.refused == "Not a picture: offer.pdf. Pictures are PNG, JPEG, WebP, GIF, AVIF and HEIC."
    assert (seen.attached, seen.name) == (1, "input-1.heic")
    assert seen.directions == ["rtl", "rtl"]
    assert seen.are_alike == [False, False]
    assert seen.kept == 1


class Rotated(msgspec.Struct, frozen=True, rename="camel"):
    """What a person saw whose key ended."""

    said: str
    text: str
    before: int
    after: int
    is_offered: bool


def test_the_pictures_of_a_key_that_ended_go_along_to_the_next_one(visitor: Visitor) -> None:
    """They are in the browser only, and the old key opens nothing any more."""
    seen = visitor.visit("rotated", Rotated, prompt=f"a fox {uuid4()}")

    assert seen.said.startswith("Incorrect API key")
    assert seen.text == "Take along 1 picture of the key before"
    assert (seen.before, seen.after, seen.is_offered) == (0, 1, False)
