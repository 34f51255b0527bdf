"""Which requests are Google's."""

import pytest

from adapter.google_api.read.addresses import ModelMethod, canonical_route, model_method, native_path, split_key

GENERATE = "/models/gemini-3-pro-image:generateContent"


@pytest.mark.parametrize(
    ("method", "path", "has_key", "native"),
    [
        ("POST", f"/v1beta{GENERATE}", False, f"/v1beta{GENERATE}"),
        ("POST", f"/v1{GENERATE}", False, f"/v1beta{GENERATE}"),
        ("POST", GENERATE, False, f"/v1beta{GENERATE}"),
        # A base URL that ends in a version, which the client appends again.
        ("POST", f"/v1/v1beta{GENERATE}", True, f"/v1beta{GENERATE}"),
        ("POST", f"/v1/v1{GENERATE}", True, f"/v1beta{GENERATE}"),
        ("GET", "/v1/models", True, "/v1beta/models"),
        ("GET", "/models/flow-gem-pix", True, "/v1beta/models/flow-gem-pix"),
        ("GET", "/v1beta/anything", False, "/v1beta/anything"),
        ("GET", "/v1/models", False, None),
        ("GET", "/v1/models/veo-3.1-fast:html", False, None),
        ("POST", "/v1/images/generations", True, None),
        ("GET", "/v1/videos", True, None),
        ("DELETE", f"/v1{GENERATE}", True, None),
        ("GET", "/v1betas", True, None),
    ],
)
def test_a_request_is_googles_by_its_path_or_its_key(method: str, path: str, has_key: bool, native: str | None) -> None:
    """The list of models is by its key, because OpenAI has the same path."""
    assert native_path(method, path, has_key=has_key) == native


@pytest.mark.parametrize(
    ("query", "rest", "key"),
    [
        (b"", b"", ""),
        (b"alt=sse", b"alt=sse", ""),
        (b"key=secret&alt=sse", b"alt=sse", "secret"),
        (b"alt=sse&key=&key=b%2Fc", b"alt=sse", ""),
        (b"key=b%2Fc", b"", "b/c"),
    ],
)
def test_a_key_is_taken_out_of_an_address(query: bytes, rest: bytes, key: str) -> None:
    """Nothing of it is left."""
    assert split_key(query) == (rest, key)


def test_a_stream_has_the_route_of_the_whole_answer() -> None:
    """A client that comes back may ask without a stream."""
    streamed = model_method("/vendor/model:streamGenerateContent")

    assert streamed == ModelMethod("vendor/model", "streamGenerateContent")
    assert canonical_route(streamed) == canonical_route(model_method("vendor/model:generateContent"))
    assert canonical_route(streamed) != canonical_route(model_method("vendor/model:predict"))
