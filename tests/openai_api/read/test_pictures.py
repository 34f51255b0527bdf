"""What clients write for a picture into a source."""

import pybase64
import pytest

from adapter.domain.orders import FileIdSource, InlineSource, LinkSource, Source, StoredSource
from adapter.errors import InvalidRequest
from adapter.openai_api.read.form import Part
from adapter.openai_api.read.pictures import read_picture, read_url
from tests.fakes import png
from tests.support import LINKS

HERE = "http://here:8000"
#: All six bits of every value, so that its base64 has `+` and `/`, and a length that needs padding.
DATA = bytes(range(256))
BASE64 = pybase64.b64encode(DATA).decode()


def read(url: str) -> Source:
    """Read an address that came as `image`."""
    return read_url(url, LINKS, "image")


def test_a_data_url_is_the_pictures_bytes() -> None:
    """Whatever type it declares."""
    picture = png()

    assert read(f"data:image/png;base64,{pybase64.b64encode(picture).decode()}") == InlineSource(picture, "image")


@pytest.mark.parametrize(
    "head",
    [
        "data:image/png;base64,",
        "DATA:IMAGE/PNG;BASE64,",
        "Data:image/svg+xml;Base64,",
        "data:;base64,",
        "data:application/octet-stream;base64,",
        "data:image/png;charset=utf-8;base64,",
        "data:image/png;name=fox.png;base64,",
        "data:image/png;name=mein%20fuchs%20(1).png;base64,",
        "data:image/png;name=füchse.png;base64,",
        'data:image/png;name="a b";base64,',
        " \n data:image/png;base64,",
    ],
)
def test_the_head_of_a_data_url_may_say_anything(head: str) -> None:
    """Upper case, no type, parameters with odd letters, blanks in front."""
    assert BASE64.count("+")
    assert BASE64.count("/")
    assert BASE64.endswith("==")
    assert read(head + BASE64) == InlineSource(DATA, "image")


@pytest.mark.parametrize(
    "text",
    [
        pybase64.encodebytes(DATA).decode(),
        BASE64.replace("/", "/\r\n \t"),
        BASE64.rstrip("="),
        BASE64.replace("+", "-").replace("/", "_"),
        BASE64.replace("+", "%2B").replace("/", "%2f").replace("=", "%3D"),
        BASE64 + "\n",
    ],
)
def test_base64_is_read_as_forgivingly_as_a_browser_does(text: str) -> None:
    """Line breaks, no padding, the alphabet of URLs, per cent signs."""
    assert read(f"data:image/png;base64,{text}") == InlineSource(DATA, "image")


@pytest.mark.parametrize(
    "text", ["@@@@", "AAAA=AAA", "A", "AAAAA", "AA==AA==", "AAA\u00e4", "🦊", "%", "AAA%zz", "%41%41%41%41"]
)
def test_broken_base64_is_refused(text: str) -> None:
    """Nothing is left out in silence: half a picture is none."""
    with pytest.raises(InvalidRequest, match="base64 of the data: URL is broken") as caught:
        read(f"data:image/png;base64,{text}")

    assert (caught.value.param, caught.value.code) == ("image", "invalid_base64")


@pytest.mark.parametrize(
    "url",
    [
        "data:",
        "data:image/png",
        "data:image/png;base64",
        "data:image/png,AAAA",
        "data:image/svg+xml;utf8,<svg/>",
        "data:base64,AAAA",
        "data:image/png;base64;AAAA",
        "data:" + "x" * 300 + ";base64,AAAA",
    ],
)
def test_a_data_url_without_base64_is_refused(url: str) -> None:
    """The error shows the form that is taken."""
    with pytest.raises(InvalidRequest, match="has to be 'data:image/…;base64,…'"):
        read(url)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://here:8000/media/abc.png", "abc.png"),
        ("http://here:8000/media/abc.png?w=512&x=?", "abc.png"),
        ("http://here:8000/media/..%2fetc%2fpasswd", "..%2fetc%2fpasswd"),
        ("http://here:8000/media/../v1/models", "../v1/models"),
        ("http://here:8000/media/a/b.png", "a/b.png"),
        ("http://here:8000/media/", ""),
    ],
)
def test_a_link_of_ours_is_not_fetched(url: str, name: str) -> None:
    """The name is handed to the media store as it stands; nothing is decoded or followed on the way."""
    assert read(url) == StoredSource(name, "image")
    assert LINKS.name_in(url) == name


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/fox.png",
        "HTTPS://example.com/fox.png",
        "http://10.0.0.1/",
        "http://here:8000/v1/models",
        "http://here:8000/mediaeval/fox.png",
        "http://here:80001/media/fox.png",
        "http://here:8000.evil.com/media/fox.png",
        "http://here:8000@evil.com/media/fox.png",
        "https://here:8000/media/fox.png",
        "https://evil.com/?http://here:8000/media/fox.png",
    ],
)
def test_any_other_address_is_a_link(url: str) -> None:
    """Whether it may be fetched is for the fetcher to say."""
    assert read(url) == LinkSource(url, "image")


def test_blanks_around_an_address_are_no_part_of_it() -> None:
    """A form's text often ends in a line break."""
    assert read(" https://example.com/fox.png\n") == LinkSource("https://example.com/fox.png", "image")


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "fox.png",
        "file:///etc/passwd",
        "ftp://a/b",
        "javascript:alert(1)",
        "//a/b",
        "https:/a",
        "gs://a",
        BASE64,
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    """With the beginning of it, and what would be taken."""
    with pytest.raises(
        InvalidRequest, match=r"is not a picture. Allowed: a data: URL with base64, or an https"
    ) as caught:
        read(url)

    assert caught.value.param == "image"
    assert len(caught.value.message) < 200


PICTURE = png()
PICTURE64 = pybase64.b64encode(PICTURE).decode()


@pytest.mark.parametrize(
    "value",
    [
        PICTURE64,
        PICTURE64.replace("+", "-").replace("/", "_").rstrip("="),
        "\n".join([PICTURE64[:20], PICTURE64[20:]]),
        {"b64_json": PICTURE64},
        {"b64_json": f"data:image/png;base64,{PICTURE64}"},
        {"image_url": PICTURE64},
        {"image_url": {"url": f"data:image/png;base64,{PICTURE64}"}},
        {"url": f"data:image/png;base64,{PICTURE64}"},
        {"type": "file", "file": {"file_data": f"data:image/png;base64,{PICTURE64}"}},
        {"type": "input_file", "file_data": PICTURE64},
        {"inlineData": {"mimeType": "image/png", "data": PICTURE64}},
        {"inline_data": {"mime_type": "image/png", "data": PICTURE64}},
        {"imageBytes": PICTURE64, "mimeType": "image/png"},
        {"bytesBase64Encoded": PICTURE64, "mimeType": "image/png"},
        {"image": {"bytesBase64Encoded": PICTURE64}, "referenceType": "asset"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE64}},
        Part("image", PICTURE),
        Part("image", PICTURE64.encode()),
        Part("image", f"data:image/png;base64,{PICTURE64}".encode()),
        {"b64_json": Part("image[b64_json]", PICTURE64.encode())},
    ],
)
def test_a_picture_may_be_data_in_many_ways(value: object) -> None:
    """OpenAI's words, Google's in both spellings, Anthropic's, or nothing but its base64."""
    assert read_picture(value, LINKS, "image") == InlineSource(PICTURE, "image")


@pytest.mark.parametrize(
    "value",
    [
        {"url": "https://a/b"},
        {"uri": "https://a/b"},
        {"fileData": {"fileUri": "https://a/b", "mimeType": "image/png"}},
        {"file_data": {"file_uri": "https://a/b"}},
        {"type": "image_url", "image_url": {"url": "https://a/b", "detail": "high"}},
        {"type": "image", "source": {"type": "url", "url": "https://a/b"}},
        {"name": "fox.png", "contentType": "image/png", "url": "https://a/b"},
        {"b64_json": None, "url": "https://a/b"},
        {"source": "upload", "file": "fox.png", "image": {"url": "https://a/b"}},
        Part("image", b"https://a/b"),
    ],
)
def test_a_picture_may_be_an_address_in_many_ways(value: object) -> None:
    """Also of files that are attached to a message."""
    assert read_picture(value, LINKS, "image") == LinkSource("https://a/b", "image")


@pytest.mark.parametrize("value", [{"b64_json": "@@@@"}, {"data": "fox.png"}, {"imageBytes": "A"}])
def test_broken_data_is_refused_as_such(value: object) -> None:
    """It is not taken for an address."""
    with pytest.raises(InvalidRequest, match="base64 of the picture is broken"):
        read_picture(value, LINKS, "image")


def test_a_reference_is_an_address_or_a_file() -> None:
    """Bare or in an object. Whose file it is, and whether it is there, is asked later."""
    found = LinkSource("https://a/b", "image")
    assert read_picture("https://a/b", LINKS, "image") == found
    assert read_picture({"image_url": "https://a/b"}, LINKS, "image") == found
    assert read_picture({"image_url": "https://a/b", "file_id": "x"}, LINKS, "image") == found
    assert read_picture({"image_url": "", "file_id": "file-1"}, LINKS, "image") == FileIdSource("file-1", "image")
    nothings: list[object] = [{}, {"image_url": None, "file_id": ""}, {"detail": "high"}, 7, [], True]
    for nothing in nothings:
        with pytest.raises(InvalidRequest, match="A picture needs an 'image_url'"):
            read_picture(nothing, LINKS, "image")
