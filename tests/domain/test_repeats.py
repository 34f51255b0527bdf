"""What two requests have in common that are one."""

import msgspec
import pytest

from adapter.domain.media import Frame
from adapter.domain.orders import ImageOrder, Kept, Link, Source, Upload
from adapter.domain.repeats import Asking, Repeat, StoredImage, content
from adapter.domain.usage import Usage
from tests.fakes import made_image

ORDER = ImageOrder(model="m", provider="fake", upstream="m", prompt="a fox", n=1, frame=Frame())


def test_the_same_wish_has_the_same_content_whatever_its_parts_are_called() -> None:
    """A file counts by its bytes."""
    assert content(ORDER, [Upload(b"1", "image")]) == content(ORDER, [Upload(b"1", "image[]")])


@pytest.mark.parametrize(
    "other",
    [[Upload(b"2", "image")], [Link("https://a/1", "image")], [Kept("1", "image")], [], [Upload(b"1", "i")] * 2],
)
def test_other_pictures_are_another_content(other: list[Source]) -> None:
    """As another prompt or another form of the answer is."""
    first = content(ORDER, [Upload(b"1", "image")], True)

    assert content(ORDER, other, True) != first
    assert content(ORDER, [Upload(b"1", "image")], False) != first
    assert content(msgspec.structs.replace(ORDER, seed=1), [Upload(b"1", "image")], True) != first


def test_a_key_stands_for_itself_and_for_one_owner_and_route() -> None:
    """No two of them share a name."""
    asked = Asking(owner="ada", route="/videos", content="c", repeat=Repeat(key="k"))
    others = [
        msgspec.structs.replace(asked, owner="bob"),
        msgspec.structs.replace(asked, route="/images/edits"),
        msgspec.structs.replace(asked, repeat=Repeat(key="l")),
        msgspec.structs.replace(asked, repeat=Repeat()),
        msgspec.structs.replace(asked, repeat=Repeat(count=1), content="k"),
    ]

    assert len({asked.scope, *(other.scope for other in others)}) == 6


def test_a_remembered_picture_comes_back_as_it_was() -> None:
    """With what it cost and what the model wrote beside it; one that was remembered before has no text."""
    image = msgspec.structs.replace(made_image(), usage=Usage(output_image=2), text="A fox.")
    kept = StoredImage.of("a.png", image)
    row = msgspec.json.decode(msgspec.json.encode(kept))
    old = msgspec.json.decode(
        msgspec.json.encode({name: value for name, value in row.items() if name != "text"}), type=StoredImage
    )

    assert kept.with_file(image.decode()) == image
    assert old.with_file(image.decode()) == msgspec.structs.replace(image, text="")
