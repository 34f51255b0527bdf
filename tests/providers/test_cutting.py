"""What is cut out of JSON is what the parser would have found."""

import msgspec
import pytest

from adapter.providers.json_splice import cut, value_of

DATA = value_of("data")


@pytest.mark.parametrize(
    ("body", "left", "values"),
    [
        (b'{"data":"abc"}', b'{"data":"0"}', [b'"abc"']),
        (b'{ "data" :\n "abc", "x": 1}', b'{ "data" :\n "0", "x": 1}', [b'"abc"']),
        (b'[{"data":"a"},{"data":"b"}]', b'[{"data":"0"},{"data":"1"}]', [b'"a"', b'"b"']),
        (b'{"data":""}', b'{"data":"0"}', [b'""']),
        (b'{"text":"\\"data\\":\\"x\\"","data":"a"}', b'{"text":"\\"data\\":\\"x\\"","data":"0"}', [b'"a"']),
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
        b'[{"data":"a"},{"data":"b\\\\"}]',
        b'{"data":"torn',
    ],
)
def test_everything_else_is_left_to_the_parser(body: bytes) -> None:
    """Other types, escaped quotes, and what is no JSON at all."""
    assert cut(body, DATA) == (body, {})
