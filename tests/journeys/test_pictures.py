"""Pictures through the official client: what a user asked for is what a user sees."""

import httpx
import openai
import pytest

from tests.journeys.server import KEY, Connect, Server
from tests.pictures import opened, pictures


@pytest.fixture
def strict() -> bool:
    """In its strict mode the 1.x client knows three sizes of a picture; we report the real one."""
    return not openai.__version__.startswith("1.")


@pytest.mark.parametrize(
    ("model", "size", "pixels"),
    [
        ("gemini-2.5-flash-image", "1024x1024", (1024, 1024)),
        ("gemini-2.5-flash-image", "1536x1024", (1248, 832)),
        ("gemini-3.1-flash-image", "1024x1536", (848, 1264)),
        ("gemini-3.1-flash-image", "512x512", (512, 512)),
        ("gemini-3-pro-image", "16:9", (1376, 768)),
        ("gemini-3.1-flash-image-portrait", "auto", (768, 1376)),
        ("flow-gem-pix", "1536x1024", (1344, 768)),
        ("flow-gem-pix", "1024x1792", (768, 1344)),
        ("flow-gem-pix-2", "1024x1024", (1024, 1024)),
    ],
)
def test_a_picture_has_the_size_that_the_model_makes_of_the_wish(
    client: openai.OpenAI, model: str, size: str, pixels: tuple[int, int]
) -> None:
    """The PNG decodes, and the answer reports its real size."""
    response = client.images.generate(model=model, prompt="a red fox", size=size)
    [data] = pictures(response)

    picture = opened(data)
    assert (picture.format, picture.size) == ("PNG", pixels)
    assert response.size == f"{pixels[0]}x{pixels[1]}"
    assert (response.output_format, response.background) == ("png", "opaque")


@pytest.mark.parametrize("model", ["gemini-2.5-flash-image", "flow-gem-pix"])
def test_n_pictures_are_n_different_ones(client: openai.OpenAI, model: str) -> None:
    """On both providers."""
    made = pictures(client.images.generate(model=model, prompt="a red fox", n=3))

    assert len(set(made)) == 3


@pytest.mark.parametrize("model", ["gemini-2.5-flash-image", "flow-gem-pix"])
def test_the_same_seed_makes_the_same_picture(client: openai.OpenAI, model: str) -> None:
    """The seed goes through."""
    first, again, other = (
        pictures(client.images.generate(model=model, prompt="a fox", extra_body={"seed": seed})) for seed in (7, 7, 8)
    )

    assert first == again
    assert first != other


@pytest.mark.parametrize("model", ["gemini-2.5-flash-image", "flow-gem-pix"])
@pytest.mark.parametrize(("form", "kind"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
def test_a_picture_has_the_format_that_was_asked_for(client: openai.OpenAI, model: str, form: str, kind: str) -> None:
    """Really converted, and reported."""
    response = client.images.generate(model=model, prompt="a red fox", output_format=form)  # type: ignore[call-overload]
    [data] = pictures(response)

    assert (opened(data).format, response.output_format) == (kind, form)


def test_low_moderation_is_understood_upstream(client: openai.OpenAI) -> None:
    """The sandbox refuses settings that Google does not know."""
    assert client.images.generate(model="gemini-2.5-flash-image", prompt="a fox", moderation="low").data


def test_a_link_leads_to_the_picture_without_a_key(client: openai.OpenAI, http: httpx.Client, server: Server) -> None:
    """A browser opens it; name, type and length are right."""
    response = client.images.generate(model="gemini-2.5-flash-image", prompt="a fox", response_format="url")
    assert response.data is not None
    url = response.data[0].url
    assert url is not None
    assert url.startswith(f"{server.url}/media/")
    assert url.endswith(".png")

    fetched = http.get(url)
    assert opened(fetched.content).size == (1024, 1024)
    assert (fetched.headers["content-type"], fetched.headers["x-content-type-options"]) == ("image/png", "nosniff")


def test_unchanged_dall_e_code_gets_a_link(client: openai.OpenAI) -> None:
    """Another vendor's model name leads to a model of ours and answers as that vendor's would."""
    response = client.images.generate(model="dall-e-3", prompt="a fox", size="1792x1024", quality="hd", style="vivid")

    assert response.data is not None
    assert response.data[0].url is not None
    assert response.data[0].b64_json is None


@pytest.mark.parametrize("path", ["/v1/images/generations", "/images/generations", "/v1/v1/images/generations"])
def test_the_base_url_may_have_v1_or_not(http: httpx.Client, server: Server, path: str) -> None:
    """Front-ends append it, leave it out, or double it."""
    reply = http.post(
        f"{server.url}{path}",
        json={"model": "flow-gem-pix", "prompt": "a fox"},
        headers={"authorization": f"Bearer {KEY}"},
    )

    assert reply.status_code == 200


@pytest.mark.parametrize(
    ("prompt", "model"),
    [
        ("a fox [blocked]", "gemini-2.5-flash-image"),
        ("a fox [image_safety]", "gemini-2.5-flash-image"),
        ("a fox [unsafe]", "flow-gem-pix"),
    ],
)
def test_a_declined_prompt_is_a_400_with_googles_words(client: openai.OpenAI, prompt: str, model: str) -> None:
    """However the provider puts it."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model=model, prompt=prompt)

    assert caught.value.code == "moderation_blocked"


def test_all_or_nothing(client: openai.OpenAI, server: Server) -> None:
    """One of three calls fails: no picture is handed out, and the SDK is told not to try again for money."""
    server.fault(on="gemini.generate", do="error", status=503, skip=1, times=1, after=True, prompt="three foxes")
    with pytest.raises(openai.APIStatusError) as caught:
        client.images.generate(model="gemini-2.5-flash-image", prompt="three foxes", n=3)

    assert caught.value.status_code >= 500


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"do": "error", "status": 429}, 429),
        ({"do": "error", "status": 500}, 502),
        ({"do": "error", "status": 503}, 503),
        ({"do": "html", "status": 502}, 502),
        ({"do": "truncate"}, 502),
        ({"do": "garbage"}, 502),
        ({"do": "drop"}, 502),
    ],
)
@pytest.mark.parametrize(
    ("model", "on"), [("gemini-2.5-flash-image", "gemini.generate"), ("flow-gem-pix", "flow.images")]
)
def test_whatever_the_upstream_does_the_client_gets_an_openai_error(
    client: openai.OpenAI, server: Server, model: str, on: str, fault: dict[str, object], status: int
) -> None:
    """Never a stack trace, never an upstream page, always a code and a request id."""
    server.fault(on=on, **fault)
    with pytest.raises(openai.APIStatusError) as caught:
        client.images.generate(model=model, prompt="a fox")

    expected = 502 if (status, on) == (503, "flow.images") else status
    assert caught.value.status_code == expected
    assert caught.value.code
    assert caught.value.request_id


@pytest.mark.parametrize("do", ["garbage", "short", "html"])
@pytest.mark.parametrize(
    ("model", "on"), [("gemini-2.5-flash-image", "gemini.generate"), ("flow-gem-pix", "flow.images")]
)
def test_a_success_that_cannot_be_read_is_one_execution(
    connect: Connect, server: Server, prompt: str, model: str, on: str, do: str
) -> None:
    """Carried out, charged, and unreadable: neither the adapter nor the client's SDK asks for it again."""
    server.fault(on=on, do=do, prompt=prompt, status=200, after=True)
    with connect(server, max_retries=2) as client, pytest.raises(openai.InternalServerError) as caught:
        client.images.generate(model=model, prompt=prompt)

    assert (caught.value.status_code, caught.value.response.headers["x-should-retry"]) == (502, "false")
    assert server.executed(prompt) == 1


def test_a_wrong_mime_type_of_the_upstream_does_no_harm(client: openai.OpenAI, server: Server) -> None:
    """The bytes decide."""
    server.fault(on="gemini.generate", do="wrong_mime")

    assert client.images.generate(model="gemini-2.5-flash-image", prompt="a fox").output_format == "png"


def test_drafts_are_skipped(client: openai.OpenAI, server: Server) -> None:
    """One picture was ordered, one comes: the last."""
    plain = pictures(client.images.generate(model="gemini-3-pro-image", prompt="a fox", extra_body={"seed": 7}))
    server.fault(on="gemini.generate", do="drafts")
    drafted = pictures(client.images.generate(model="gemini-3-pro-image", prompt="a fox", extra_body={"seed": 7}))

    assert drafted == plain
