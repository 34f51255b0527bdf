"""The digest of a request: every field counts, and nothing that the adapter makes of it."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.openai_api.read.content import MOST_SORTED_BYTES, form_content, json_content
from adapter.openai_api.read.form import Part
from adapter.openai_api.wire.chat import ChatRequest
from adapter.openai_api.wire.images import ImagesRequest
from adapter.openai_api.wire.media import MediaRequest, RouteRequest
from adapter.openai_api.wire.responses import ResponsesRequest
from adapter.openai_api.wire.videos import RemixRequest, VideosRequest

REQUESTS: list[type[RouteRequest]] = [
    ImagesRequest,
    VideosRequest,
    RemixRequest,
    ChatRequest,
    ResponsesRequest,
]
FIELDS = [
    (kind, field)
    for kind in REQUESTS
    for field in sorted({*kind.__struct_encode_fields__, *MediaRequest.__struct_encode_fields__} - {"media"})
]
#: Fields that say how the answer is sent, and nothing of what is wished for.
OUT = {"stream", "stream_options"}


def body(**fields: object) -> bytes:
    """Return a JSON body."""
    return msgspec.json.encode({"prompt": "a fox", **fields})


@pytest.mark.parametrize(("kind", "field"), FIELDS, ids=[f"{kind.__name__}.{field}" for kind, field in FIELDS])
def test_every_field_of_every_request_counts(kind: type[RouteRequest], field: str) -> None:
    """In JSON and in a form; a field that shall not count is named in `OUT`."""
    json = {json_content(body(**{field: value})) for value in ("a", "b")} | {json_content(body())}
    form = {form_content([Part(field, value)]) for value in (b"a", b"b")} | {form_content([])}

    assert len(json) == len(form) == (1 if field in OUT else 3)


@pytest.mark.parametrize("field", ["user", "safety_identifier", "metadata", "something_new"])
def test_fields_that_no_reader_knows_count(field: str) -> None:
    """Two people behind one key are two wishes."""
    assert json_content(body(**{field: "ada"})) != json_content(body(**{field: "bob"}))


def test_the_order_and_the_space_of_json_do_not_count() -> None:
    """Some clients write members in another order each time, at any depth."""
    one = b'{"model": "m", "messages": [{"role": "user", "content": "a fox"}]}'
    other = b'{"messages":[{"content":"a fox","role":"user"}],"model":"m"}'

    assert json_content(one) == json_content(other)
    assert json_content(one) != json_content(other.replace(b"fox", b"ox"))
    assert json_content(b'{"a":1,"b":2}') != json_content(b'{"a":2,"b":1}')


@given(st.text() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False))
def test_escapes_in_json_do_not_count(value: object) -> None:
    """Python's clients escape what others send as it is. A value that is in order already is not written anew."""
    one, other = (json.dumps({"a": value}, ensure_ascii=is_ascii).encode() for is_ascii in (True, False))

    assert json_content(one) == json_content(other) == json_content(msgspec.json.encode({"a": value}))


def test_a_large_member_counts_as_it_came() -> None:
    """It carries a picture; the members around it are in order all the same."""
    picture = "A" * MOST_SORTED_BYTES
    one = msgspec.json.encode({"image": picture, "prompt": "a"})
    other = msgspec.json.encode({"prompt": "a", "image": picture})

    assert json_content(one) == json_content(other)
    assert json_content(one) != json_content(one.replace(b"AA", b"AB", 1))


@pytest.mark.parametrize("odd", [b"1e400", b'"\\ud800"', b"[" * 2000 + b"]" * 2000])
def test_a_value_that_nothing_here_can_read_counts_as_it_came(odd: bytes) -> None:
    """It stands in a field that no reader looks at."""
    body = b'{"prompt": "a", "odd": ' + odd + b"}"

    assert json_content(body) == json_content(body) != json_content(body.replace(b'"a"', b'"b"'))


def test_file_names_and_boundaries_of_a_form_do_not_count() -> None:
    """Clients make new ones for each attempt; names, values and their order do."""
    parts = [Part("prompt", b"a"), Part("image", b"1", "one.png"), Part("image", b"2", "two.png")]
    renamed = [Part("prompt", b"a"), Part("image", b"1", "x.png"), Part("image", b"2")]

    assert form_content(parts) == form_content(renamed)
    assert form_content(parts) != form_content([parts[0], parts[2], parts[1]])
    assert form_content([Part("ab", b"c")]) != form_content([Part("a", b"bc")])


def test_a_digest_names_its_rule() -> None:
    """So that a later rule can tell that it is not its own. A changed digest needs a new version."""
    assert json_content(b'{"prompt": "a fox"}') == "1:df8f216cce84061e72312ddec5211fa55683faeb123f0c3615d71be39c1de271"
