"""What the documents tell users to set in chat programs and libraries: the same everywhere, and true."""

import re
from pathlib import Path

import msgspec
import pytest
import yaml

from adapter.domain.catalogue import Listing
from adapter.settings import Settings, load_settings
from tests.support import ROOT, catalogue

FRONT_ENDS = (ROOT / "docs" / "frontends.md").read_text()
LIBRARIES = (ROOT / "docs" / "libraries.md").read_text()
#: A block that is said to have been run, with its language.
RUN = re.compile(r"<!-- runs: \w+ -->\n```(\w+)\n(.*?)```", re.DOTALL)


class Models(msgspec.Struct, frozen=True):
    """Which models LibreChat shows."""

    default: tuple[str, ...]
    fetch: bool


class Endpoint(msgspec.Struct, frozen=True, rename="camel"):
    """An endpoint of LibreChat."""

    name: str
    api_key: str
    base_url: str = msgspec.field(name="baseURL")
    models: Models
    title_convo: bool


def librechat(text: str) -> str:
    """Return what a page tells users of LibreChat to write."""
    [block] = re.findall(r"```yaml\n(endpoints:.*?)```", text, re.DOTALL)
    return str(block)


def test_librechats_models_are_in_the_menu_that_it_fetches() -> None:
    """The default is what it shows while the adapter is away."""
    told = yaml.safe_load(librechat(FRONT_ENDS))["endpoints"]["custom"][0]
    endpoint = msgspec.convert(told, Endpoint)
    menu = {model.name for model in catalogue().listed(Listing.PLAIN)}

    assert set(endpoint.models.default) <= menu
    assert endpoint.models.fetch
    assert endpoint.base_url.endswith("/v1")


@pytest.mark.parametrize("page", ["libraries.md", "frontends.md", "chat.md", "pictures.md"])
def test_what_is_to_be_set_in_the_configuration_can_be_set(page: str, tmp_path: Path) -> None:
    """Each block of TOML is a configuration."""
    for block in re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL):
        config = tmp_path / "adapter.toml"
        config.write_text(block)
        assert load_settings(config, {}) != Settings()


def test_the_programs_for_libraries_are_programs() -> None:
    """They are run by hand, with the libraries; here they are compiled."""
    blocks = RUN.findall(LIBRARIES)

    assert {language for language, _ in blocks} == {"python", "js", "yaml", "sh", "java"}
    for language, program in blocks:
        if language == "python":
            compile(program, "libraries.md", "exec")
        if language == "yaml":
            assert {model["api_base"] for model in yaml.safe_load(program)} == {"http://127.0.0.1:8000/v1"}


def test_the_models_of_the_programs_for_libraries_exist() -> None:
    """Under the names that they use."""
    names = re.findall(r"(?:openai/)?((?:gemini|veo)-[\d.]+[a-z-]+)", LIBRARIES)

    assert len(names) > 20
    assert {catalogue().find(name).name for name in names} == set(names)
