"""What is cut out of JSON is what the parser would have found."""

import msgspec
import pytest

from adapter.domain.whole_pictures import PART
from adapter.providers.json_splice import cut, value_of

DATA = value_of("data")


@pytest.mark.parametrize(
    ("body", "left", "values"),
    [
        (b'{"data":"abcd"}', b'{"data":"0"}', [b'"abcd"']),
        (b'{ "data" :\n "abc=", "x": 1}', b'{ "data" :\n "0", "x": 1}', [b'"abc="']),
        (b'[{"data":"aaaa"},{"data":"ab=="}]', b'[{"data":"0"},{"data":"1"}]', [b'"aaaa"', b'"ab=="']),
        (b'{"data":""}', b'{"data":"0"}', [b'""']),
        (b'{"text":"\\"data\\":\\"x\\"","data":"aaaa"}', b'{"text":"\\"data\\":\\"x\\"","data":"0"}', [b'"aaaa"']),
    ],
)
def test_strings_of_the_key_are_cut_out(body: bytes, left: bytes, values: list[bytes]) -> None:
    """Wherever they stand, however it is spaced; what only looks like the key inside a text is left."""
    short, cut_out = cut(body, DATA)

    assert short == left
    assert [bytes(value) for value in cut_out.values()] == values
    for token, value in cut_out.items():
        short = short.replace(token, bytes(value), 1)
    assert msgspec.json.decode(short) == msgspec.json.decode(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"data":7}',
        b'{"data":null}',
        b'{"text":"data"}',
        b'{"data":"a\\"b"}',
        b'[{"data":"aaaa"},{"data":"bbb\\\\"}]',
        b'[{"data":"aaaa"},{"data":"aaa"}]',
        b'{"data":"aa\\/a"}',
        b'{"data":"aa=a"}',
        b'{"data":"aa\n="}',
        b'{"data":"torn',
    ],
)
def test_everything_else_is_left_to_the_parser(body: bytes) -> None:
    """Other types, escaped quotes, what is no base64, and what is no JSON at all."""
    assert cut(body, DATA) == (body, {})


@pytest.mark.parametrize("more", range(-4, 5))
@pytest.mark.parametrize("parts", [1, 2])
def test_the_end_of_a_long_value_is_found_wherever_it_lies(parts: int, more: int) -> None:
    """Before, at and behind the border of a part that is checked at once, with padding and without."""
    size = parts * PART + more
    for text in (b"a" * size, b"a" * (size - 1) + b"=", b"a" * (size - 2) + b"=="):
        body = b'{"data":"' + text + b'","more":"text"}'

        if size % 4 == 0:
            short, cut_out = cut(body, DATA)
            assert short == b'{"data":"0","more":"text"}'
            assert bytes(cut_out[b'"0"']) == b'"' + text + b'"'
        else:
            assert cut(body, DATA) == (body, {})
        assert cut(body[: 9 + size], DATA) == (body[: 9 + size], {})


@pytest.mark.parametrize("wrong", [b"!", b"=", b"\\", b"\n", b"-"])
def test_a_long_value_with_a_wrong_character_is_left_to_the_parser(wrong: bytes) -> None:
    """In whichever part it stands, in the first place of it or in the last."""
    for at in (0, PART - 1, PART, 2 * PART - 1, 2 * PART, 2 * PART + 3):
        text = b"a" * at + wrong + b"a" * (2 * PART + 7 - at)
        body = b'{"data":"' + text + b'"}'
        assert cut(body, DATA) == (body, {}), at
