"""Request bodies: whatever comes in, a clear error comes out."""

from contextlib import suppress

import msgspec
import pytest

from adapter.errors import InvalidRequest, RequestTooLarge
from adapter.openai_api.read.media import read_media_json
from adapter.openai_api.read.pictures import sources_of
from adapter.openai_api.wire.chat import ChatRequest
from adapter.openai_api.wire.images import ImagesRequest
from tests.support import LINKS


@pytest.mark.parametrize(
    ("body", "flaw"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"{", "its end is missing"),
        (b"hello", r"invalid character \(byte 0\)"),
        (b'{"prompt": "a"}}', r"trailing characters \(byte 16\)"),
        (b'{"prompt": NaN}', r"invalid character \(byte 11\)"),
        (b'{"prompt": "\xff\xfe"}', "it is not UTF-8"),
        (b'\xef\xbb\xbf{"prompt": "a"}', "it begins with a byte order mark; send UTF-8 without one"),
        ('{"prompt": "a"}'.encode("utf-16"), "it begins with a byte order mark; send UTF-8 without one"),
        (b'{"prompt": "\\ud800"}', "its end is missing"),
        (b"model=flow-gem-pix&prompt=a+fox", "it is a form; send JSON instead"),
        (b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n', "it is a form; send JSON instead"),
        (b"images%5B0%5D=a&prompt=a+fox", "it is a form; send JSON instead"),
    ],
)
def test_what_is_not_json_is_refused_and_the_flaw_is_named(body: bytes, flaw: str) -> None:
    """Torn, deep, mis-encoded: all the same error, never a crash."""
    with pytest.raises(InvalidRequest, match=f"The request body is not valid JSON: {flaw}") as caught:
        read_media_json(body, ImagesRequest)

    assert caught.value.code == "invalid_json"


@pytest.mark.parametrize("value", [b"1", b"[]", b"{}", b'{"role": "user", "content": "a"}'])
def test_a_body_of_nothing_but_values_is_refused(value: bytes) -> None:
    """To decode 128 MB of them takes half a second in which nothing else can run."""
    with pytest.raises(RequestTooLarge, match="more than 100000 values"):
        read_media_json(b'{"messages": [' + b",".join([value] * 100_001) + b"]}", ChatRequest)


@pytest.mark.parametrize("space", [b"", b" " * 10_000])
def test_a_body_that_is_nested_too_deeply_is_told_the_limit(space: bytes) -> None:
    """Closed or torn, with much or little between the brackets."""
    deep = b'{"prompt": "a", "x": ' + (b"[" + space) * 100

    with pytest.raises(InvalidRequest, match="nested deeper than 100 levels") as caught:
        read_media_json(deep + b"]" * 100 + b"}", ImagesRequest)
    assert caught.value.code == "json_too_deep"
    with pytest.raises(InvalidRequest, match="nested deeper than 100 levels"):
        read_media_json(deep, ImagesRequest)


def test_a_body_may_be_as_deep_as_the_limit() -> None:
    """The body's own object is the first level."""
    body = b'{"prompt": "a", "x": ' + b"[" * 99 + b"]" * 99 + b"}"

    assert read_media_json(body, ImagesRequest).media.prompt == "a"


@pytest.mark.parametrize("sign", ["[", "{", ",", '"', "\\", '\\"[', "]"])
def test_signs_inside_of_texts_are_no_values_and_no_levels(sign: str) -> None:
    """Code, quoted JSON and prose have many."""
    prompt = sign * 100_000 if sign != "[" else "[" * 300_000
    body = msgspec.json.encode({"prompt": prompt, "x": [[]] * 120})

    assert read_media_json(body, ImagesRequest).media.prompt == prompt


def test_a_text_of_nothing_but_quotation_marks_is_refused() -> None:
    """Each has to be looked at."""
    with pytest.raises(RequestTooLarge, match="more than 500000 quotation marks"):
        read_media_json(msgspec.json.encode({"prompt": '"' * 500_001, "x": [[]] * 120}), ImagesRequest)


def test_a_large_body_of_few_values_is_read() -> None:
    """A picture is one value, whatever it weighs."""
    body = b'{"prompt": "' + b"a" * 2_000_000 + b'"}'

    assert read_media_json(body, ImagesRequest).media.prompt == "a" * 2_000_000


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"prompt": 7}', "prompt"),
        (b'{"n": "two"}', "n"),
        (b'{"n": 1.5}', "n"),
        (b"[]", None),
    ],
)
def test_a_field_of_the_wrong_type_is_named(body: bytes, param: str | None) -> None:
    """`param` tells a program which field it was."""
    with pytest.raises(InvalidRequest, match="has to be") as caught:
        read_media_json(body, ImagesRequest)

    assert (caught.value.param, caught.value.code) == (param, "invalid_type")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"n": "two"}', "'n' has to be a whole number, not text."),
        (b'{"seed": 1.5}', "'seed' has to be a whole number, not 1.5."),
        (b'{"prompt": 1.5}', "'prompt' has to be text, not a number with a fraction."),
        (b'{"stream": 1}', "'stream' has to be true or false, not a whole number."),
        (b'{"prompt": ["a"]}', "'prompt' has to be text, not a list."),
        (b"[]", "The body has to be an object, not a list."),
    ],
)
def test_a_person_is_told_what_the_field_has_to_be(body: bytes, words: str) -> None:
    """Not in a decoder's words."""
    with pytest.raises(InvalidRequest) as caught:
        read_media_json(body, ImagesRequest)

    assert caught.value.message == words


@pytest.mark.parametrize("name", ["config", "image", "tools", "messages", "anything"])
@pytest.mark.parametrize("depth", [99, 900])
@pytest.mark.parametrize("shape", [('{"config": ', "}"), ("[", "]"), ('{"image": ', "}")])
def test_what_is_nested_without_end_is_read_or_refused(name: str, shape: tuple[str, str], depth: int) -> None:
    """Up to the limit, and beyond it; the worst that happens is a fault of the client's."""
    opened, closed = shape
    body = f'{{"prompt": "a", "{name}": {opened * depth}7{closed * depth}}}'.encode()

    for kind in (ImagesRequest, ChatRequest):
        with suppress(InvalidRequest):
            assert sources_of(read_media_json(body, kind).media.pictures, LINKS) == ()


def test_a_field_deep_inside_is_named() -> None:
    """By the path to it."""
    with pytest.raises(InvalidRequest) as caught:
        read_media_json(b'{"stream_options": {"include_usage": "yes"}}', ChatRequest)

    assert caught.value.param == "stream_options.include_usage"


def test_unknown_fields_are_ignored_and_null_is_absent() -> None:
    """Every SDK adds fields of its own and some send null for what was not set."""
    body = msgspec.json.encode({"prompt": "a", "n": None, "size": None, "metadata": "me", "anything": {"at": "all"}})

    assert read_media_json(body, ImagesRequest).media.prompt == "a"
