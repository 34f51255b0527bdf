"""A new provider is a folder, rows of the catalogue, a section of the configuration, and a line of the registry."""

from pathlib import Path
from types import ModuleType

import pybase64
import pytest

from adapter.errors import WrongConfiguration
from adapter.providers.registry import BUILT_IN
from adapter.settings import load_catalogue, load_settings
from tests.fakes import CLIP, png
from tests.toy_provider import connected

#: Litestar 3 wants its dependencies marked; the locks have 2.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*Inferred:litestar.exceptions.LitestarDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning"),
]


async def test_a_picture_of_a_new_provider_reaches_an_openai_client(toy: ModuleType, config: Path) -> None:
    """As the provider made it."""
    async with connected(toy, config) as client:
        answer = await client.images.generate(model="toy-fox", prompt="a fox", n=2)

    assert answer.data is not None
    assert [pybase64.b64decode(each.b64_json or "") for each in answer.data] == [png(64, 64)] * 2


async def test_a_video_of_a_new_provider_is_a_job_like_any_other(toy: ModuleType, config: Path) -> None:
    """Submitted, polled, stored and downloaded; its file came with the report."""
    async with connected(toy, config) as client:
        video = await client.videos.create_and_poll(model="toy-waves", prompt="waves", poll_interval_ms=20)
        content = await client.videos.download_content(video.id)

    assert (video.status, video.seconds, video.size) == ("completed", "4", "1280x720")
    assert content.read() == CLIP


async def test_the_models_of_a_new_provider_are_listed(toy: ModuleType, config: Path) -> None:
    """And no model of a provider that is not configured."""
    async with connected(toy, config) as client:
        listed = [model.id async for model in client.models.list()]

    assert sorted(listed) == ["toy-fox", "toy-waves"]


def test_a_mistake_in_a_new_providers_section_names_the_key(toy: ModuleType, config: Path) -> None:
    """By its whole path, as in every other section."""
    config.write_text(config.read_text().replace("token =", "tokn ="))

    with pytest.raises(WrongConfiguration, match=r"providers\.toy\.tokn: there is no such key\. Did you mean 'token'"):
        load_settings(config, {}, [*BUILT_IN, toy.TOY])


def test_a_provider_that_is_not_registered_has_no_section(config: Path) -> None:
    """The registry is the only place that knows which there are."""
    with pytest.raises(WrongConfiguration, match=r"providers\.toy: there is no such key"):
        load_settings(config, {})


def test_a_row_of_a_kind_that_the_provider_does_not_make_is_refused(toy: ModuleType, config: Path) -> None:
    """At the start, and not at the first request."""
    providers = [*BUILT_IN, type(toy.TOY)(name="toy", settings=toy.ToySettings, build=toy.build, makes={"image"})]
    settings = load_settings(config, {}, providers)

    with pytest.raises(WrongConfiguration, match="'toy-waves' is a video model, and 'toy' makes no videos"):
        load_catalogue(config, settings, providers)
