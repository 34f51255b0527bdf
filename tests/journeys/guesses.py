"""Requests made up from `/openapi.json`, right ones and wrong ones, as strategies of hypothesis."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec
from hypothesis import strategies as st

from tests.fakes import png

Json: TypeAlias = Any
Schema: TypeAlias = Mapping[str, Any]
Strategy: TypeAlias = st.SearchStrategy[Json]

#: Few and small, so that many kinds come along.
TEXTS: Final = st.sampled_from(
    [
        "",
        " ",
        "a fox",
        "auto",
        "0",
        "-1",
        "1e9",
        "NaN",
        "true",
        "null",
        "\0",
        "\x7f",
        "é",
        "𝕏",
        "../..",
        "%00",
        "x" * 3000,
    ]
) | st.text(max_size=12)
NUMBERS: Final = st.sampled_from([0, 1, -1, 2, 10, 2**31, 2**63, -(2**63), 10**30, 0.5, -0.0, 1e308])
JUNK: Final = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=4,
)
#: A real picture. In a form it is sent as a file.
PICTURE: Final = f"data:image/png;base64,{b64encode(png()).decode()}"
#: Values that a client may well send, under the names that have a meaning beyond their schema.
KNOWN: Final[Mapping[str, Sequence[Json]]] = {
    "model": ["gpt-image-1", "gemini-2.5-flash-image", "veo-3.1-fast", "sora-2", "flow-gem-pix", "no-such-model"],
    "prompt": ["a fox", "waves at sunset"],
    "size": ["1024x1024", "16:9", "2K", "auto", "1280x720", "0x0"],
    "aspect_ratio": ["16:9", "1:1", "99:1"],
    "quality": ["low", "high", "auto"],
    "seconds": [8, "8", 4, "8s", 0],
    "n": [1, "1", 2, 0, 11],
    "response_format": ["b64_json", "url"],
    "output_format": ["png", "mp4", "jpeg"],
    "input": ["a fox", [{"role": "user", "content": "a fox"}]],
    "messages": [[{"role": "user", "content": "a fox"}]],
    "image": [PICTURE],
    "images": [[{"image_url": PICTURE}]],
    "file": [PICTURE],
    "purpose": ["vision", "user_data"],
}
#: What requests cannot do without, whatever the document calls required.
NEEDED: Final = {"model", "prompt", "input", "messages", "image", "file", "purpose"}
#: The most optional fields of an object at once.
MOST_FIELDS: Final = 4


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """A request."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    #: The type of the body, and its decoded value; None for no body, bytes for what is no JSON.
    kind: str | None = None
    body: Json = None


class Guesses:
    """Makes requests of a document."""

    def __init__(self, document: Schema, ids: Mapping[str, Sequence[str]]) -> None:
        self._document = document
        #: What is there, by the names of parameters of paths.
        self._ids = ids

    def requests(self, path: str, operation: Schema) -> st.SearchStrategy[Guess]:
        """Return requests to one operation."""
        parameters = operation.get("parameters", [])
        return st.builds(
            lambda names, query, headers, body: Guess(
                path=path.format(**names), query=query, headers=headers, kind=body[0], body=body[1]
            ),
            st.fixed_dictionaries({one["name"]: self._id(one["name"]) for one in parameters if one["in"] == "path"}),
            self._some(parameters, "query"),
            self._some(parameters, "header"),
            self._body(operation),
        )

    def _id(self, name: str) -> st.SearchStrategy[str]:
        """Return ids: real ones, and what is none, without the slash that would lead to another route."""
        odd = ["video_0", "resp_0", "file-0", "..", "%2e%2e", "a%00b", "%F0%9D%95%8F", "x" * 300, "a%20b", "{}"]
        return st.sampled_from([*self._ids.get(name, ()), *odd])

    def _some(self, parameters: Sequence[Schema], place: str) -> st.SearchStrategy[Mapping[str, str]]:
        named = {one["name"]: self._value(one["schema"]).map(_as_text) for one in parameters if one["in"] == place}
        wild = {name: right | TEXTS for name, right in named.items()}
        return st.just({}) | st.fixed_dictionaries({}, optional=named) | st.fixed_dictionaries({}, optional=wild)

    def _body(self, operation: Schema) -> st.SearchStrategy[tuple[str | None, Json]]:
        content = operation.get("requestBody", {}).get("content", {})
        if not content:
            return st.just((None, None))
        return st.one_of(
            *(st.tuples(st.just(kind), self._object(told["schema"])) for kind, told in content.items()),
            *(st.tuples(st.just(kind), st.binary(max_size=20)) for kind in (*content, "text/plain")),
        )

    def _object(self, schema: Schema) -> Strategy:
        """Return objects of a schema; in some of them a field or two are wrong."""
        properties, required = self._fields(schema)

        known = [name for name in KNOWN if name in properties]
        names = st.sampled_from(sorted(properties))

        @st.composite
        def made(draw: st.DrawFn) -> Json:
            some = st.sets(st.sampled_from(known or sorted(properties)), max_size=MOST_FIELDS)
            told = draw(st.just(NEEDED & {*properties}) | some)
            body = {name: draw(self._usual(name, properties)) for name in sorted({*required, *told})}
            # Half of them have more than what is usual: right values, or any.
            for name in draw(st.just([]) | st.lists(names, max_size=MOST_FIELDS)):
                body[name] = draw(self._value(properties[name]) | JUNK)
            return body

        return made()

    def _usual(self, name: str, properties: Mapping[str, Schema]) -> Strategy:
        return st.sampled_from(KNOWN[name]) if name in KNOWN else self._value(properties[name])

    def _fields(self, schema: Schema) -> tuple[Mapping[str, Schema], Sequence[str]]:
        schema = self._resolved(schema)
        properties, required = dict(schema.get("properties", {})), list(schema.get("required", ()))
        for part in schema.get("allOf", ()):
            inner, wanted = self._fields(part)
            properties |= inner
            required += wanted
        return properties, required

    def _resolved(self, schema: Schema) -> Schema:
        reference = schema.get("$ref")
        if reference is None:
            return schema
        found: Schema = self._document["components"]["schemas"][reference.rpartition("/")[2]]
        return found

    def _value(self, schema: Schema) -> Strategy:
        """Return values of a schema."""
        schema = self._resolved(schema)
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        if "anyOf" in schema:
            return st.one_of(*(self._value(each) for each in schema["anyOf"]))
        kinds = schema.get("type")
        if isinstance(kinds, list):
            return st.one_of(*(self._value({**schema, "type": kind}) for kind in kinds))
        return self._structure(schema) if kinds in {"array", "object"} else _scalar(schema)

    def _structure(self, schema: Schema) -> Strategy:
        if schema["type"] == "array":
            return st.lists(self._value(schema.get("items", {})), min_size=schema.get("minItems", 0), max_size=2)
        return self._object(schema) if schema.get("properties") else st.dictionaries(TEXTS, JUNK, max_size=2)


def _scalar(schema: Schema) -> Strategy:
    match schema.get("type"):
        case "string" if "pattern" in schema:
            return st.from_regex(schema["pattern"], fullmatch=True)
        case "string":
            return TEXTS.filter(lambda text: len(text) >= schema.get("minLength", 0))
        case "integer":
            return st.integers(schema.get("minimum", -(2**70)), schema.get("maximum", 2**70))
        case "number":
            return st.floats(allow_nan=False, allow_infinity=False) | st.integers(-100, 100)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case _:
            return JUNK


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else str(value).lower()
