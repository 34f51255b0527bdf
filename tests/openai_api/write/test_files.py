"""Uploads into pictures to keep, and back into OpenAI's words."""

import msgspec
import pytest

from adapter.domain.media import MediaFormat
from adapter.domain.records import Upload
from adapter.errors import InvalidRequest
from adapter.openai_api.read.files import read_upload
from adapter.openai_api.read.form import Part
from adapter.openai_api.write.files import disposition, file_list, file_object
from tests.fakes import given_file, jpeg, png

FILE = Part("file", png(), "fox.png")
PURPOSE = Part("purpose", b"vision")


def expiry(seconds: str = "3600", anchor: str = "created_at") -> tuple[Part, ...]:
    """Return the fields of an end."""
    return Part("expires_after[anchor]", anchor.encode()), Part("expires_after[seconds]", seconds.encode())


@pytest.mark.parametrize(
    ("parts", "given"),
    [
        ((FILE, PURPOSE), Upload(data=png(), format=MediaFormat.PNG, filename="fox.png", purpose="vision")),
        (
            (*expiry(), Part("purpose", b"user_data"), Part("anything", b"else"), Part("file", jpeg())),
            Upload(data=jpeg(), format=MediaFormat.JPEG, filename="upload", purpose="user_data", lifetime=3600),
        ),
        (
            (Part("purpose", b"assistants"), Part("file", jpeg(), "x" * 300), *expiry("2592000")),
            Upload(data=jpeg(), format=MediaFormat.JPEG, filename="x" * 255, purpose="assistants", lifetime=2_592_000),
        ),
        (
            (Part("file", png(), "a\0.gif"), PURPOSE),
            Upload(data=png(), format=MediaFormat.PNG, filename="a.gif", purpose="vision"),
        ),
    ],
)
def test_an_upload_is_read_in_any_order_of_its_fields(parts: tuple[Part, ...], given: Upload) -> None:
    """What it is its bytes say, not its name."""
    assert read_upload(parts) == given


@pytest.mark.parametrize(
    ("parts", "param", "says"),
    [
        ((PURPOSE,), "file", "'file' is required"),
        ((FILE,), "purpose", "'purpose' is required"),
        ((FILE, Part("purpose", b"batch")), "purpose", "Allowed: assistants, vision, user_data"),
        ((FILE, Part("purpose", b"")), "purpose", "'purpose' is required"),
        ((PURPOSE, Part("file", b"%PDF-1.7")), "file", "Allowed: PNG, JPEG, WebP and GIF"),
        ((PURPOSE, Part("file", b"")), "file", "Allowed: PNG, JPEG, WebP and GIF"),
        ((PURPOSE, Part("file", png()[:20])), "file", "Allowed: PNG, JPEG, WebP and GIF"),
        ((PURPOSE, FILE, *expiry("3599")), "expires_after[seconds]", "3600 to 2592000 seconds"),
        ((PURPOSE, FILE, *expiry("2592001")), "expires_after[seconds]", "3600 to 2592000 seconds"),
        ((PURPOSE, FILE, *expiry("soon")), "expires_after.seconds", "a whole number"),
        ((PURPOSE, FILE, *expiry(anchor="last_active_at")), "expires_after[anchor]", "Allowed: created_at"),
        ((PURPOSE, FILE, expiry()[0]), "expires_after[seconds]", "is required"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_place(parts: tuple[Part, ...], param: str, says: str) -> None:
    """With what is allowed instead."""
    with pytest.raises(InvalidRequest, match=says.replace("[", r"\[")) as caught:
        read_upload(parts)

    assert caught.value.param == param


def test_a_file_is_described_without_what_it_does_not_have() -> None:
    """An end of null is no end to OpenAI's clients, and against their document."""
    told = msgspec.to_builtins(file_object(given_file(1, at=1000.9)))

    assert told == {
        "id": given_file(1).id,
        "object": "file",
        "bytes": 10,
        "created_at": 1000,
        "filename": "fox.png",
        "purpose": "vision",
        "status": "processed",
    }
    assert msgspec.to_builtins(file_object(given_file(expires_at=2000.5)))["expires_at"] == 2000


def test_a_page_says_whether_there_is_more() -> None:
    """And with which files it begins and ends; an empty one has none."""
    files = [given_file(number) for number in (1, 2)]
    page, empty = file_list(files, has_more=True), file_list([], has_more=False)

    assert (page.first_id, page.last_id, page.has_more, len(page.data)) == (files[0].id, files[1].id, True, 2)
    assert (empty.data, empty.first_id, empty.last_id, empty.has_more) == ((), "", "", False)


def test_a_download_is_named_without_breaking_its_header() -> None:
    """Whatever the client called it."""
    assert (
        disposition(given_file(filename='a"\r\nx: ü.png')) == "attachment; filename*=UTF-8''a%22%0D%0Ax%3A%20%C3%BC.png"
    )
