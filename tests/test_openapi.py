"""The extract of OpenAI's schemas is what its script makes of the published document."""

import pytest

from tests.openapi import DOCUMENT, EXTRACT, Json, extract, plain, read_document, references, written


@pytest.mark.skipif(not DOCUMENT.exists(), reason="OPENAI_OPENAPI names no copy of the whole document")
def test_the_extract_is_what_the_published_document_says() -> None:
    """Nobody edited it by hand."""
    assert EXTRACT.read_text(encoding="utf-8") == written(extract(read_document(DOCUMENT)))


def test_nullable_becomes_a_choice_of_null() -> None:
    """JSON Schema does not know the word of OpenAPI 3.0 and would refuse null."""
    schema: Json = {"type": "object", "properties": {"code": {"type": "string", "nullable": True}}}

    assert plain(schema) == {
        "type": "object",
        "properties": {"code": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
    }


def test_a_property_may_be_called_like_a_word_of_prose() -> None:
    """`title` beside `type` is prose, `title` within `properties` is a field."""
    schema: Json = {"title": "A thing", "properties": {"title": {"type": "string", "description": "Its name."}}}

    assert plain(schema) == {"properties": {"title": {"type": "string"}}}


def test_what_a_schema_refers_to_comes_along() -> None:
    """At any depth."""
    reference: Json = {"$ref": "#/components/schemas/Error"}

    assert list(references({"anyOf": [{"items": reference}, reference]})) == ["Error", "Error"]
