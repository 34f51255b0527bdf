"""Azure's addresses."""

import msgspec
import pytest

from adapter.openai_api.read.deployments import name_model, name_model_in_form, read_address
from adapter.openai_api.read.form import Part
from adapter.openai_api.read.media import read_media_json
from adapter.openai_api.wire.images import ImagesRequest


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/openai/deployments/dall-e-3/images/generations", ("/v1/images/generations", "dall-e-3")),
        ("/openai/deployments/dall-e-3/images/edits", ("/v1/images/edits", "dall-e-3")),
        ("/openai/deployments/a/chat/completions", ("/v1/chat/completions", "a")),
        ("/openai/deployments/a/responses", ("/v1/responses", "a")),
        ("/openai/deployments/sora-2/videos", ("/v1/videos", "sora-2")),
        ("/openai/deployments/google/veo-3/chat/completions", ("/v1/chat/completions", "google/veo-3")),
        ("/openai/deployments/images/images/generations", ("/v1/images/generations", "images")),
        ("/openai/v1/images/generations", ("/v1/images/generations", None)),
        ("/openai/v1/models/google/veo-3", ("/v1/models/google/veo-3", None)),
        ("/openai/responses/resp_1/input_items", ("/v1/responses/resp_1/input_items", None)),
        ("/openai/models", ("/v1/models", None)),
        ("/openai/files/file-1/content", ("/v1/files/file-1/content", None)),
        ("/v1/openai/deployments/a/chat/completions", ("/v1/chat/completions", "a")),
        ("/v1/images/generations", None),
        ("/images/generations", None),
        ("/openai", None),
        ("/openai/", None),
        ("/openai/health", None),
        ("/openai/media/x.png", None),
        ("/openai/deployments", None),
        ("/openai/deployments//chat/completions", None),
        ("/openai/deployments/a/embeddings", None),
        ("/openai/deployments/a/modelsandmore", None),
        ("/v1/models/openai/v1/models", None),
        ("/media/openai/models", None),
    ],
)
def test_an_address_of_azure_means_one_of_ours(path: str, meant: tuple[str, str | None] | None) -> None:
    """With the model where it names one; every other address is left alone."""
    assert read_address(path) == meant


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b" { \n} \n",
        b'{"prompt": "a fox"}',
        b'{"model": "gpt-4", "prompt": "a fox"}',
        b'{"prompt": "a fox", "model": null}\r\n',
        b'{"prompt": "a fox", "extra": {}}',
        b'{"prompt": "}", "extra": [{}]}',
    ],
)
def test_the_address_names_the_model(body: bytes) -> None:
    """Whatever the body says: Azure's client sends its own names there."""
    read = read_media_json(name_model(body, 'a "b"'), ImagesRequest).media

    assert read.model == 'a "b"'
    assert read.prompt == msgspec.json.decode(body).get("prompt")


@pytest.mark.parametrize("body", [b"", b"[]", b'"}"', b"{", b"}", b'{"a": 1,}', b'{"a": {}', b"[{}", b"null", b"\xff}"])
def test_what_is_no_object_stays_none(body: bytes) -> None:
    """The reader refuses it as it would anywhere."""
    with pytest.raises(msgspec.MsgspecError):
        msgspec.json.decode(name_model(body, "a"), type=dict[str, object])


def test_a_form_gets_the_model_too() -> None:
    """Its own one does not count."""
    parts = [Part("model", b"gpt-4"), Part("prompt", b"a fox"), Part("model", b"gpt-5")]

    assert name_model_in_form(parts, "caf\xe9") == [Part("prompt", b"a fox"), Part("model", "caf\xe9".encode())]
