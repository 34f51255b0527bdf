"""The schema of the configuration, as an editor uses it."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from adapter.commands.config_schema import config_schema
from tests.support import ROOT

SCHEMA = json.loads(config_schema())


def faults(text: str) -> list[str]:
    """Return where an editor would see a fault."""
    validator = Draft202012Validator(SCHEMA)
    return [".".join(map(str, fault.absolute_path)) for fault in validator.iter_errors(tomllib.loads(text))]


@pytest.mark.parametrize("name", ["adapter", "sandbox"])
def test_the_shipped_files_fit_it(name: str) -> None:
    """An editor shows no fault in what the program comes with."""
    assert faults(Path(ROOT, "config", f"{name}.toml").read_text()) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[server]\nprot = 1", "server"),
        ("[server]\nport = 70000", "server.port"),
        ("[chat]\nimages = 'gif'", "chat.images"),
        ("[providers.gemni]\nkeys = ['env:A']", "providers"),
    ],
)
def test_a_mistake_is_seen_in_the_editor(text: str, place: str) -> None:
    """At its place."""
    assert faults(text) == [place]


def test_every_key_of_the_shipped_file_is_explained() -> None:
    """With the words of its comment, also where these go on in the next line."""

    def explained(*names: str) -> str:
        place: Any = SCHEMA["$defs"]["File"]
        for name in names[:-1]:
            reference = place["properties"][name]
            place = SCHEMA["$defs"][reference["$ref"].rpartition("/")[2]] if "$ref" in reference else reference
        return str(place["properties"][names[-1]]["description"])

    assert explained("server", "port") == "TCP port"
    assert explained("folder").endswith('or the one around it if that is called "config"')
    assert "others wait" in explained("limits", "memory_bytes")
