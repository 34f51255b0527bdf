"""What is said about a risky configuration."""

from pathlib import Path

import msgspec
import pytest

from adapter.risks import DEFAULT_KEYS, Machine, risks
from adapter.settings import load_settings
from tests.support import CONFIG

LARGE = Machine(memory_bytes=2**40)

GOOGLE = """
[providers.gemini]
keys = ["env:GEMINI_API_KEY"]
"""


def said(folder: Path, text: str, machine: Machine = LARGE) -> list[tuple[str, str]]:
    """Return the risks of a configuration: the setting and the first sentence of the message."""
    file = folder / "adapter.toml"
    file.write_text(text)
    return [(risk.setting, risk.message.partition(". ")[0]) for risk in risks(load_settings(file, {}), machine)]


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        (
            "access = { anonymous = true }\nserver = { host = '0.0.0.0', public_url = 'http://x.example' }",
            "access.anonymous",
        ),
        (
            "access = { anonymous = true }\nserver = { host = '::', public_url = 'http://x.example' }",
            "access.anonymous",
        ),
        ("metrics = { enabled = true, anonymous = true }\nserver = { host = '192.0.2.1' }", "metrics.anonymous"),
        ("server = { host = '0.0.0.0' }", "server.public_url"),
        ("server = { host = '192.0.2.1', public_url = 'http://localhost:8000' }", "server.public_url"),
        ("server = { public_url = 'https://media.example/v1' }", "server.public_url"),
        (
            "[providers.gemini]\nbase_url = 'https://relay.example/v1beta'\nkeys = ['env:A']",
            "providers.gemini.base_url",
        ),
        (
            "[[providers.flow.accounts]]\nname = 'a'\ntoken = 'env:T'\nproject_id = 'YOUR-PROJECT-ID'",
            "providers.flow.accounts[0].project_id",
        ),
        ("access = { anonymous = true }\nserver = { host = '192.0.2.1' }", "access.anonymous"),
        ("access = { anonymous = true }\nserver = { public_url = 'https://media.example' }", "access.anonymous"),
        ("access = { keys = ['env:A', 'plain:a'] }" + GOOGLE, "access.keys[1]"),
        ("[providers.gemini]\nkeys = ['plain:a', 'plain:b']", "providers.gemini.keys[0], providers.gemini.keys[1]"),
        ("[providers.gemini]\nbase_url = 'http://relay.example'\nkeys = ['env:A']", "providers.gemini.base_url"),
        ("fetching = { trusted = ['169.254.169.254:80'] }", "fetching.trusted"),
        ("fetching = { trusted = ['pictures.internal:80', '[fd00:ec2::254]:80'] }", "fetching.trusted"),
        ("fetching = { trusted = ['100.100.100.200:80'] }", "fetching.trusted"),
        ("fetching = { trusted = ['Metadata.Google.Internal:80'] }", "fetching.trusted"),
    ],
)
def test_a_risky_setting_is_named(tmp_path: Path, text: str, setting: str) -> None:
    """One line for each kind of risk."""
    assert [name for name, _ in said(tmp_path, text)] == [setting]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "access = { anonymous = true }",
        "access = { anonymous = true }\nserver = { host = '::1', public_url = 'http://localhost:8000' }",
        "server = { host = '0.0.0.0', public_url = 'https://media.example' }\n"
        "access = { keys = ['env:A', 'file:/key', 'cmd:program'] }" + GOOGLE,
        "[providers.gemini]\nbase_url = 'http://127.0.0.1:9'\nkeys = ['env:A']",
        "fetching = { trusted = ['10.0.0.1:80', 'pictures.internal:8443', '[fd00::1]:80'] }",
    ],
)
def test_an_ordinary_configuration_has_no_risk(tmp_path: Path, text: str) -> None:
    """A proxy on the same machine and a server of pictures in the own network are usual."""
    assert said(tmp_path, text) == []


def test_the_sandbox_may_have_its_secrets_in_the_open() -> None:
    """They open nothing, and nothing leaves the machine."""
    directed = CONFIG.directed_to("http://sandbox.example")

    assert risks(directed, LARGE) == []


def test_weak_keys_are_named_where_other_machines_reach_the_server(tmp_path: Path) -> None:
    """The message says the setting and never the key."""
    weak = Machine(
        memory_bytes=2**40,
        key_lengths={"access.keys[0]": 10, "access.keys[1]": 19, "access.keys[2]": 20},
        default_keys=["access.keys[0]"],
    )
    public = said(tmp_path, "server = { host = '0.0.0.0', public_url = 'https://media.example' }", weak)

    assert public == [
        ("access.keys[0]", "this key is printed in the documentation"),
        ("access.keys[1]", "a key with fewer than 20 characters can be guessed"),
    ]
    assert said(tmp_path, "", weak) == []


def test_the_key_of_the_sandbox_is_a_default_key() -> None:
    """It stands in config/sandbox.toml and in the documents."""
    assert {f"plain:{key}" for key in DEFAULT_KEYS} == set(CONFIG.access.keys)


def test_a_memory_budget_above_the_machine_is_named(tmp_path: Path) -> None:
    """The default is 1 GiB."""
    small = Machine(memory_bytes=512 * 1024**2)

    assert said(tmp_path, "", small) == [
        ("limits.memory_bytes", "1024 MiB are more than the 512 MiB that this process may take")
    ]
    assert said(tmp_path, "", msgspec.structs.replace(small, memory_bytes=1024**3)) == []


def test_stored_things_that_others_may_read_are_named(tmp_path: Path) -> None:
    """They hold what clients made, and their prompts."""
    modes = {"storage.database": 0o640, "storage.media": 0o755, "jobs.spool": 0o700}

    assert said(tmp_path, "", Machine(memory_bytes=2**40, modes=modes)) == [
        ("storage.database", "other users of this machine have rights to it (640)"),
        ("storage.media", "other users of this machine have rights to it (755)"),
    ]


def test_a_secret_in_quotation_marks_is_named(tmp_path: Path) -> None:
    """A shell's or an editor's, which are sent as a part of it."""
    quoted = Machine(memory_bytes=2**40, quoted=["providers.gemini.keys[0]"])

    assert [setting for setting, _ in said(tmp_path, "", quoted)] == ["providers.gemini.keys[0]"]


def test_a_variable_with_single_underscores_is_named_with_the_right_one(tmp_path: Path) -> None:
    """It sets nothing. A variable that a secret is read from, and others' variables, are right as they are."""
    names = ["ADAPTER_SERVER_PORT", "ADAPTER_LIST_MODELS", "ADAPTER_KEY", "ADAPTER_CHAT_IMAGES", "PATH", "ADAPTER_HOME"]
    machine = Machine(memory_bytes=2**40, variables=[*names, "ADAPTER__SERVER__PORT", "ADAPTER_CONFIG"])

    assert said(tmp_path, "access = { keys = ['env:ADAPTER_CHAT_IMAGES'] }", machine) == [
        ("ADAPTER_LIST_MODELS", "this variable sets nothing"),
        ("ADAPTER_SERVER_PORT", "this variable sets nothing"),
    ]
