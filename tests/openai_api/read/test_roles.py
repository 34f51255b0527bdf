"""What the pictures of a video are to it."""

import pytest

from adapter.domain.orders import VideoInput
from adapter.errors import InvalidRequest
from adapter.openai_api.read.roles import cast_pictures


@pytest.mark.parametrize(
    ("roles", "kind", "order"),
    [
        ([], VideoInput.TEXT, ""),
        ([None], VideoInput.FRAME, "0"),
        ([None, None], VideoInput.FRAMES, "01"),
        ([None, None, None], VideoInput.REFERENCES, "012"),
        (["first_frame"], VideoInput.FRAME, "0"),
        (["first_frame", "last_frame"], VideoInput.FRAMES, "01"),
        (["last_frame", "first_frame"], VideoInput.FRAMES, "10"),
        (["reference_image"], VideoInput.REFERENCES, "0"),
        (["reference_image"] * 3, VideoInput.REFERENCES, "012"),
    ],
)
def test_number_or_roles_say_what_pictures_are(roles: list[str | None], kind: VideoInput, order: str) -> None:
    """One is the first frame, two are both, three are references; a role says it outright."""
    assert cast_pictures("012"[: len(roles)], roles, most=3, param="messages") == (kind, tuple(order))


@pytest.mark.parametrize(
    "roles",
    [
        ["last_frame"],
        ["first_frame", "first_frame"],
        ["first_frame", None],
        ["first_frame", "reference_image"],
        ["first_frame", "last_frame", "reference_image"],
        ["hero"],
        [None] * 4,
        ["reference_image"] * 4,
    ],
)
def test_what_does_not_go_together_is_refused(roles: list[str | None]) -> None:
    """A video is paid for: nothing is left out in silence."""
    with pytest.raises(InvalidRequest) as caught:
        cast_pictures("0123"[: len(roles)], roles, most=3, param="messages")
    assert caught.value.param == "messages"


def test_pictures_without_any_word_on_roles_go_by_their_number() -> None:
    """They are never taken for none."""
    assert cast_pictures("01", (), most=3, param="messages") == (VideoInput.FRAMES, ("0", "1"))
