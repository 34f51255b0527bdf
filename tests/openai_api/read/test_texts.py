"""A chat request for a text model: which one it is, and that its bytes stay as they are."""

from datetime import date

import msgspec
import pytest

from adapter.domain.catalogue import Catalogue, CatalogueFile, TextCard
from adapter.domain.named_model import with_model
from adapter.domain.texts import TextMethod, TextRequest
from adapter.errors import InvalidRequest
from adapter.openai_api.read.texts import text_request

CARD = TextCard(
    name="words", provider="gemini", upstream="gemini-3.8-flash", released=date(2026, 9, 1), aliases=("gpt-5",)
)
CATALOGUE = Catalogue(CatalogueFile(text=(CARD,)))


def read(body: bytes) -> TextRequest:
    """Return what is passed on."""
    found = text_request(body, CATALOGUE)
    assert found is not None
    return found


def test_a_request_in_the_providers_own_words_is_not_touched() -> None:
    """Not one byte, not even white space or fields that are not known here."""
    body = b'{ "model" : "gemini-3.8-flash","messages":[{"role":"user","content":"\\u00e9"}],\n"new_field": 1e2 }'

    assert read(body).body is body


@pytest.mark.parametrize(
    ("body", "passed"),
    [
        (b'{"model":"words","n":1}', b'{"model":"gemini-3.8-flash","n":1}'),
        (b'{"n":1.0, "model" :\n"gpt-5" }', b'{"n":1.0, "model" :\n"gemini-3.8-flash" }'),
        (
            b'{"a":{"model":"words"},"b":["model",{"model":"words"}],"c":"model","model":"words"}',
            b'{"a":{"model":"words"},"b":["model",{"model":"words"}],"c":"model","model":"gemini-3.8-flash"}',
        ),
        (
            b'{"c":"\\"model\\":\\"x\\\\","model":"words"}',
            b'{"c":"\\"model\\":\\"x\\\\","model":"gemini-3.8-flash"}',
        ),
        (b'{"mod\\u0065l":"words"}', b'{"mod\\u0065l":"gemini-3.8-flash"}'),
        (b'{"model":"other","model":"words"}', b'{"model":"gemini-3.8-flash","model":"gemini-3.8-flash"}'),
        (b'{"model":"w\\u006frds"}', b'{"model":"gemini-3.8-flash"}'),
    ],
)
def test_only_the_name_of_the_model_is_put_in(body: bytes, passed: bytes) -> None:
    """A text that looks like it, and the same name deeper inside, stay as they are."""
    assert read(body).body == passed


def test_a_long_text_is_passed_over() -> None:
    """Pictures are texts of megabytes."""
    picture = msgspec.json.encode("data:image/png;base64," + "A" * 3_000_000)
    body = b'{"messages":[{"content":' + picture + b'}],"model":"words"}'

    assert with_model(body, "x") == body.replace(b'"words"', b'"x"')


@pytest.mark.parametrize(("stream", "is_stream"), [(b"true", True), (b"false", False), (b"null", False), (b"1", False)])
def test_a_stream_is_what_says_so(stream: bytes, *, is_stream: bool) -> None:
    """As a boolean. The provider judges the rest."""
    found = read(b'{"model":"words","stream":' + stream + b"}")

    assert (found.is_stream, found.method, found.provider) == (is_stream, TextMethod.CHAT, "gemini")


@pytest.mark.parametrize("body", [b'{"model":"veo"}', b"{}", b'{"model":7}', b"", b"[]", b'{"model":"words"', b"\xff"])
def test_every_other_body_is_left_to_its_own_reader(body: bytes) -> None:
    """It says what is wrong with it."""
    assert text_request(body, CATALOGUE) is None


def test_a_body_that_is_nested_too_deeply_is_refused() -> None:
    """As everywhere."""
    with pytest.raises(InvalidRequest, match="nested deeper"):
        text_request(b'{"model":"words","x":' + b"[" * 200 + b"]" * 200 + b"}", CATALOGUE)


@pytest.mark.parametrize(
    ("rest", "has_usage"),
    [
        (b"", True),
        (b',"stream":false', True),
        (b',"stream":true', False),
        (b',"stream":"true","stream_options":{"include_usage":true}', False),
        (b',"stream":true,"stream_options":{"include_usage":true}', True),
        (b',"stream":true,"stream_options":{"include_usage":false}', False),
        (b',"stream":true,"stream_options":[7]', False),
    ],
)
def test_a_stream_has_its_usage_if_it_asks_for_it(rest: bytes, *, has_usage: bool) -> None:
    """A whole answer has it in any case."""
    assert read(b'{"model":"words"' + rest + b"}").has_usage is has_usage
