"""What the pictures of a video are to it: by their number, or by the roles that a client gives them."""

from collections.abc import Sequence
from typing import TypeVar

from adapter.domain.orders import VideoInput
from adapter.errors import InvalidRequest
from adapter.openai_api.read.names import FIRST, LAST, REFERENCE

_T = TypeVar("_T")


def cast_pictures(
    pictures: Sequence[_T], roles: Sequence[str | None], *, most: int, param: str
) -> tuple[VideoInput, tuple[_T, ...]]:
    """Return what kind of video pictures make, and the pictures in that kind's order.

    Without roles one is the first frame, two are the first and the last, and three are references. One without a role
    beside a last frame is the first. `most` is how many references there may be.

    Raises:
        InvalidRequest: roles that do not go together, or too many pictures.
    """
    roles = roles or [None] * len(pictures)
    check_roles(roles, param)
    match sorted({role or "" for role in roles}):
        case []:
            return VideoInput.TEXT, ()
        case [""] if len(pictures) < 3:
            return (VideoInput.FRAME if len(pictures) == 1 else VideoInput.FRAMES), tuple(pictures)
        case [""] | ["reference_image"]:
            if len(pictures) > most:
                raise InvalidRequest(
                    f"A video is made from at most {most} reference pictures; {len(pictures)} were given.", param=param
                )
            return VideoInput.REFERENCES, tuple(pictures)
        case ["first_frame"] if len(pictures) == 1:
            return VideoInput.FRAME, tuple(pictures)
        case ["first_frame" | "", "last_frame"] if len(pictures) == 2:
            return VideoInput.FRAMES, tuple(reversed(pictures)) if roles[0] == LAST else tuple(pictures)
        case _:
            raise InvalidRequest(
                f"A video has one {FIRST}, with or without one {LAST}, or only {REFERENCE} pictures.", param=param
            )


def check_roles(roles: Sequence[str | None], param: str) -> None:
    """Refuse words that no picture of a video can be. `param` is where they stand."""
    for role in roles:
        if role not in {None, FIRST, LAST, REFERENCE}:
            raise InvalidRequest(
                f"'{role}' is not what a picture can be to a video. Allowed: {FIRST}, {LAST}, {REFERENCE}.", param=param
            )
