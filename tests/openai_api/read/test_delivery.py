"""In which form pictures are handed over."""

import pytest

from adapter.domain.delivery import Delivery
from adapter.errors import InvalidRequest
from adapter.openai_api.read.delivery import asked_delivery, choose_delivery
from adapter.openai_api.wire.images import ImagesRequest
from adapter.openai_api.wire.media import MediaRequest


@pytest.mark.parametrize(
    ("model", "asked", "form"),
    [
        ("gemini-3-pro-image", None, Delivery.BASE64),
        ("gpt-image-1", None, Delivery.BASE64),
        ("dall-e-3", None, Delivery.LINK),
        ("dall-e-3", "b64_json", Delivery.BASE64),
        ("gpt-image-1", "url", Delivery.LINK),
    ],
)
def test_pictures_are_handed_over_as_clients_of_that_model_expect(
    model: str, asked: str | None, form: Delivery
) -> None:
    """An explicit form wins; DALL-E's default is a link, everybody else's is base64."""
    body = ImagesRequest(media=MediaRequest(model=model), response_format=asked)

    assert choose_delivery([asked_delivery(body)], model, "OpenAI/Python 3.57.0") is form


@pytest.mark.parametrize(
    ("wishes", "model", "agent", "form"),
    [
        ([None, None], "gemini-3-pro-image", "LangChain", Delivery.BOTH),
        ([None, None], "gemini-3-pro-image", "langchain-community/0.4.2", Delivery.BOTH),
        ([None, None], "gemini-3-pro-image", "langchain4j-openai", Delivery.BOTH),
        ([None, None], "dall-e-3", "LangChain", Delivery.LINK),
        ([None, None], None, "LangChain", Delivery.LINK),
        ([None, Delivery.BOTH], "gemini-3-pro-image", "OpenAI/Python 3.57.0", Delivery.BOTH),
        ([Delivery.LINK, Delivery.BOTH], "gemini-3-pro-image", "OpenAI/Python 3.57.0", Delivery.LINK),
        ([Delivery.AUTO, Delivery.LINK], "gemini-3-pro-image", "OpenAI/Python 3.57.0", Delivery.BASE64),
        ([Delivery.BASE64], "dall-e-3", "LangChain", Delivery.BASE64),
    ],
)
def test_what_a_request_leaves_open_is_its_keys_the_configurations_or_the_programs(
    wishes: list[Delivery | None], model: str | None, agent: str, form: Delivery
) -> None:
    """In this order; a program that names LangChain reads links, and is given both."""
    assert choose_delivery(wishes, model, agent) is form


def test_a_stream_carries_base64_whatever_is_set() -> None:
    """A link has no place in its events."""
    assert asked_delivery(ImagesRequest(stream=True)) is Delivery.BASE64
    with pytest.raises(InvalidRequest, match="'b64_json' only"):
        asked_delivery(ImagesRequest(stream=True, response_format="url"))


@pytest.mark.parametrize("form", ["jpeg", "both", "auto"])
def test_an_unknown_form_is_refused(form: str) -> None:
    """The error names the two there are; the others are for the configuration."""
    with pytest.raises(InvalidRequest, match=r"Allowed: b64_json, url\."):
        asked_delivery(ImagesRequest(response_format=form))
