"""The command line by itself, in an empty folder. `tests/journeys/test_commands.py` has a server beside it."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from adapter.sandbox.rules import DEFAULT_ACCOUNT, SandboxRules
from adapter.sandbox.server import running_sandbox
from adapter.settings import load_catalogue, load_settings
from adapter.version import VERSION
from tests.programs import Program, run_program
from tests.support import ROOT

#: Every provider that the sandbox plays with a key or a token.
ONLINE = """
[access]
keys = ["plain:a-key-of-a-client-12"]
[providers.gemini]
base_url = "{url}"
keys = [{{ name = "main", key = "plain:{key}" }}]
[providers.omni]
base_url = "{url}"
keys = [{{ name = "main", key = "plain:{key}" }}]
[providers.flow]
base_url = "{url}"
[[providers.flow.accounts]]
name = "studio"
token = "plain:{token}"
project_id = "a-project"
"""


def online(url: str, key: str) -> str:
    """Return a configuration that leads to a sandbox, with a key of Gemini."""
    return ONLINE.format(url=url, key=key, token=DEFAULT_ACCOUNT.token)


def run(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder."""
    return run_program(*arguments, folder=folder, environ=settings_of(environ))


def start(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Start Python in a folder for a command."""
    return subprocess.run(
        [sys.executable, "-m", "adapter", *arguments],
        cwd=folder,
        env=settings_of(environ) | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def settings_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment with these settings, and without those of the person who runs the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ADAPTER_")} | dict(environ)


def test_the_version_is_said(tmp_path: Path) -> None:
    """Name and number, as of other programs."""
    assert start(tmp_path, "--version").stdout == f"adapter {VERSION}\n"


def test_a_program_that_has_loaded_rich_keeps_it(tmp_path: Path) -> None:
    """The library of the log loads the rest of it at its first traceback. This failed inside of what logged."""
    code = "import structlog, adapter.__main__\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n"
    code += "    structlog.get_logger().exception('odd')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=settings_of({"PYTHONPATH": str(ROOT)}),
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert b"ZeroDivisionError" in done.stdout


@pytest.mark.parametrize("command", ["models", "check", "keys list", "jobs list", "media check", "accounts"])
def test_every_command_knows_the_sandbox_without_a_file(tmp_path: Path, command: str) -> None:
    """What it keeps is kept here."""
    done = run(tmp_path, *command.split(), "--sandbox")

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("shell", "first"), [("bash", "_adapter_completion"), ("zsh", "#compdef adapter")])
def test_shells_complete_the_commands(tmp_path: Path, shell: str, first: str) -> None:
    """By the lines of docs/command-line.md."""
    script = run(tmp_path, _ADAPTER_COMPLETE=f"{shell}_source").stdout
    completed = run(
        tmp_path, _ADAPTER_COMPLETE=f"{shell}_complete", COMP_WORDS="adapter vid", COMP_CWORD="1"
    ).stdout.split()

    assert script.startswith(first)
    assert any(word.endswith("video") for word in completed)


@pytest.mark.parametrize("command", ["jobs list", "keys list"])
def test_an_empty_list_is_json_too(tmp_path: Path, command: str) -> None:
    """A program reads it, and finds nothing else on stdout."""
    assert run(tmp_path, *command.split(), "--sandbox", "--json").stdout == "[]\n"


def test_keys_are_listed_as_json_without_the_keys(tmp_path: Path) -> None:
    """With the times at which they were made and ended."""
    key = run(tmp_path, "keys", "create", "ada", "--sandbox").stdout.strip()
    run(tmp_path, "keys", "revoke", "ada", "--sandbox")
    said = run(tmp_path, "keys", "list", "--sandbox", "--json").stdout

    [listed] = json.loads(said)
    assert (listed["name"], listed["created_at"] <= listed["revoked_at"]) == ("ada", True)
    assert key not in said


def test_a_key_that_was_made_or_changed_is_told_as_json(tmp_path: Path) -> None:
    """For programs that make keys."""
    made, rotated = (
        json.loads(run(tmp_path, "keys", command, "ada", "--json", "--sandbox").stdout)
        for command in ("create", "rotate")
    )
    changed = json.loads(run(tmp_path, "keys", "set", "ada", "--rpm", "5", "--json", "--sandbox").stdout)

    assert (made["name"], made["key"][:11], rotated["key"] != made["key"]) == ("ada", "sk-adapter-", True)
    assert changed["allowance"] == {"rpm": 5}


def test_a_key_that_could_not_be_printed_says_how_to_come_by_one(tmp_path: Path) -> None:
    """The disk of the file is full. Other commands say that too, in one line."""
    said = tmp_path / "stderr"

    def full(*arguments: str) -> int:
        said.unlink(missing_ok=True)
        stdout = Path("/dev/full")
        return Program(arguments, stdout=stdout, stderr=said, folder=tmp_path, environ=settings_of({})).end(60)

    assert full("keys", "create", "ada", "--sandbox") == 1
    assert "No space left on device. `adapter keys rotate ada` makes" in said.read_text()
    assert full("models", "--sandbox") == 1
    assert said.read_text() == "adapter: the output cannot be written: No space left on device.\n"


def test_a_check_is_told_as_json(tmp_path: Path) -> None:
    """What is wrong is in it as well."""
    config = tmp_path / "adapter.toml"
    good = run(tmp_path, "check", "--sandbox", "--json", ADAPTER__FETCHING__TRUSTED='["169.254.169.254:80"]')
    config.write_text("[access]\nkyes = []\n")
    bad = run(tmp_path, "check", "--json")

    told = json.loads(good.stdout)
    assert (good.returncode, told["mistakes"], told["models"] > 30) == (0, [], True)
    assert any(warning.startswith("fetching.trusted: ") for warning in told["warnings"])
    assert (bad.returncode, json.loads(bad.stdout)["mistakes"]) == (
        1,
        ["adapter.toml, line 2: access.kyes: there is no such key. Did you mean 'keys'?"],
    )


def test_a_key_is_shown_with_what_is_taken_of_its_limits(tmp_path: Path) -> None:
    """Also one of the configuration, whose key is not shown."""
    config = tmp_path / "adapter.toml"
    config.write_text(
        '[access.keys.bea]\nkey = "plain:a-key-of-a-client-12"\nimages_per_day = 3\nbudget = "2.50USD/day"\n'
    )
    words = run(tmp_path, "keys", "show", "bea", "--config", str(config)).stdout
    shown = json.loads(run(tmp_path, "keys", "show", "bea", "--json", "--config", str(config)).stdout)

    assert [line.partition(", until ")[0].split(maxsplit=1) for line in words.splitlines()[-2:]] == [
        ["taken", "0 USD of 2.5 USD in this day"],
        ["taken", "0 images of 3 images in this day"],
    ]
    assert [(each["kind"], each["limit"], each["taken"], each["window"]) for each in shown["limits"]] == [
        ("USD/day", "2.5", "0", "day"),
        ("images", 3, 0, "day"),
    ]
    assert (shown["owner"], shown["created_at"]) == ("bea", None)
    assert "a-key-of-a-client-12" not in words


def test_a_list_of_keys_says_which_open_nothing(tmp_path: Path) -> None:
    """An expired one is not active."""
    for name in ("ada", "bob", "eve"):
        run(tmp_path, "keys", "create", name, "--expires", "9999-12-31", "--sandbox")
    run(tmp_path, "keys", "revoke", "bob", "--sandbox")
    with sqlite3.connect(tmp_path / "var" / "sandbox" / "adapter.db") as database:
        database.execute("UPDATE keys SET allowance = '{\"expires_at\": 86400.0}' WHERE name = 'eve'")
    listed = run(tmp_path, "keys", "list", "--sandbox").stdout

    assert [line.split()[0::3][:2] for line in listed.splitlines()[1:]] == [
        ["ada", "active"],
        ["bob", "revoked"],
        ["eve", "expired"],
    ]


def test_a_key_becomes_an_administrators_and_an_ordinary_one_again(tmp_path: Path) -> None:
    """What else it may do stays."""
    run(tmp_path, "keys", "create", "ada", "--admin", "--rpm", "5", "--sandbox")
    told = [
        run(tmp_path, "keys", *command, "--sandbox").stdout
        for command in (["list"], ["set", "ada", "--no-admin"], ["set", "ada", "--rpm", "6"], ["set", "ada", "--admin"])
    ]

    assert "admin=yes" in told[0]
    assert ["admin            yes" in each for each in told[1:]] == [False, False, True]
    assert "rpm              6" in told[3]


def test_models_of_keys_that_there_are_not_are_named(tmp_path: Path) -> None:
    """Those of the configuration and those of the database, with the nearest name."""
    config = tmp_path / "adapter.toml"
    config.write_text(
        '[access.keys.bea]\nkey = "plain:a-key-of-a-client-12"\nmodels = ["gemini-3-pro-imag"]\n'
        '[providers.gemini]\nkeys = [{ name = "main", key = "plain:a-key" }]\n'
    )
    told = {"ADAPTER_CONFIG": "adapter.toml"}
    made = run(tmp_path, "keys", "create", "ada", "--models", "veo-*,gemini-3.1-flash-image", **told)
    run(tmp_path, "keys", "create", "gone", "--models", "nothing", **told)
    run(tmp_path, "keys", "revoke", "gone", **told)
    checked = run(tmp_path, "check", **told)

    assert made.stderr == "warning: there is no model 'veo-*' here.\n"
    assert [line for line in checked.stdout.splitlines() if "there is no model" in line] == [
        "warning: models of the key 'ada': there is no model 'veo-*' here.",
        (
            "warning: access.keys.bea.models: there is no model 'gemini-3-pro-imag' here."
            " Did you mean 'gemini-3-pro-image'?"
        ),
    ]


def test_models_are_listed_as_the_api_lists_them(tmp_path: Path) -> None:
    """With prices as numbers."""
    listed = json.loads(run(tmp_path, "models", "--sandbox", "--json").stdout)

    models = {model["id"]: model for model in listed["data"]}
    assert listed["object"] == "list"
    assert models["veo-3.1-fast"]["prices"][0] == {"per": "clip", "amount": 20.0, "currency": "credits"}


def test_a_risky_configuration_is_said_by_the_check_and_at_the_start(tmp_path: Path) -> None:
    """One line each; the start goes on."""
    risky = {"ADAPTER__FETCHING__TRUSTED": '["169.254.169.254:80"]', "ADAPTER__SERVER__HOST": "0.0.0.0"}
    risky["ADAPTER__SERVER__PUBLIC_URL"] = "http://media.example"
    checked = run(tmp_path, "check", "--sandbox", **risky)
    # The port is taken, so that the start ends after its warnings.
    with socket.create_server(("0.0.0.0", 0)) as taken:
        served = run(tmp_path, "serve", "--sandbox", "--port", str(taken.getsockname()[1]), **risky)

    warned = [line.split()[1] for line in checked.stdout.splitlines() if line.startswith("warning: ")]
    logged = [json.loads(line) for line in served.stderr.splitlines() if line.startswith("{")]
    assert [word for word in warned if word != "models:"] == ["access.keys[0]:", "fetching.trusted:"]
    assert [(line["event"], line["setting"]) for line in logged] == [
        ("configuration.risky", "access.keys[0]"),
        ("configuration.risky", "fetching.trusted"),
    ]
    assert "cannot listen on" in served.stderr


def test_a_check_names_a_model_that_google_switches_off(tmp_path: Path) -> None:
    """Here it is a text model, whose day is in the past or near."""
    done = run(tmp_path, "check", "--sandbox", ADAPTER__CHAT__SIDE_CALL_MODEL="gemini-2.5-flash")

    [words] = [line for line in done.stdout.splitlines() if "gemini-2.5-flash'" in line]
    assert words.startswith("warning: models: Google switche")
    assert "(also by: chat.side_call_model) off on 2026-12-01" in words
    assert done.returncode == 0


def test_an_online_check_says_what_each_credential_is_worth(tmp_path: Path) -> None:
    """One that Google refuses ends the command with status 1. No line has a secret."""
    with running_sandbox(SandboxRules(port=0)) as sandbox:
        (tmp_path / "adapter.toml").write_text(online(sandbox.base_url, "AIza-sandbox"))
        good = run(tmp_path, "check", "--online", "--config", "adapter.toml")
        (tmp_path / "adapter.toml").write_text(online(sandbox.base_url, "AIza-revoked"))
        bad = run(tmp_path, "check", "--online", "--config", "adapter.toml")

    lines = [line for line in good.stdout.splitlines() if line.startswith("credential ")]
    assert good.returncode == 0, good.stderr
    assert [line.split(":")[0] for line in lines] == [
        "credential   ok  providers.gemini main",
        "credential   ok  providers.flow studio",
        "credential   ok  providers.omni main",
    ]
    assert lines[0].endswith(" models")
    assert " credits, PAYGATE_TIER_" in lines[1]
    assert bad.returncode == 1
    assert "credential   BAD providers.gemini main: Google refused the adapter's own credential." in bad.stdout
    assert "revoked" not in bad.stdout + bad.stderr


def test_accounts_are_listed_and_switched(tmp_path: Path) -> None:
    """By their names, which may be those of two providers. Without a server, only switches are known."""
    (tmp_path / "adapter.toml").write_text(online("http://127.0.0.1:9", "AIza-secret-1"))
    told = ["--config", "adapter.toml"]
    disabled = run(tmp_path, "accounts", "disable", "studio", *told)
    again = run(tmp_path, "accounts", "disable", "flow/studio", *told)
    table = run(tmp_path, "accounts", *told)
    listed = json.loads(run(tmp_path, "accounts", "list", "--json", *told).stdout)
    enabled = run(tmp_path, "accounts", "enable", "studio", *told)
    as_before = json.loads(run(tmp_path, "accounts", "--json", *told).stdout)

    assert disabled.stdout == "flow/studio gets no new work. Its videos are finished.\n"
    assert again.stdout == "flow/studio gets no new work, as before. Its videos are finished.\n"
    assert enabled.stdout == "flow/studio gets new work.\n"
    assert {each["name"]: (each["enabled"], each["health"]) for each in listed if each["provider"] == "flow"} == {
        "studio": (False, "disabled")
    }
    assert [(each["provider"], each["name"], each["health"]) for each in as_before] == [
        ("gemini", "main", "unknown"),
        ("flow", "studio", "unknown"),
        ("omni", "main", "unknown"),
    ]
    assert "flow/studio  disabled" in table.stdout
    assert table.stdout.endswith("No server with this database runs, so only names and switches are known.\n")
    assert "secret" not in table.stdout + json.dumps(listed)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("main", "'main' names several: say gemini/main or omni/main."),
        ("nix", "no account or key named 'nix'. The configuration has: gemini/main, flow/studio, omni/main."),
    ],
)
def test_an_account_that_cannot_be_found_is_not_switched(tmp_path: Path, name: str, words: str) -> None:
    """The message says which names there are."""
    (tmp_path / "adapter.toml").write_text(online("http://127.0.0.1:9", "AIza-secret-1"))
    done = run(tmp_path, "accounts", "disable", name, "--config", "adapter.toml")

    assert done.returncode == 1
    assert words in done.stderr


def test_an_account_that_the_configuration_disables_is_enabled_there(tmp_path: Path) -> None:
    """The command says so, and fails."""
    (tmp_path / "adapter.toml").write_text(online("http://127.0.0.1:9", "AIza-secret-1") + "enabled = false\n")
    done = run(tmp_path, "accounts", "enable", "studio", "--config", "adapter.toml")

    assert done.returncode == 1
    assert "flow/studio has `enabled = false` in the configuration." in done.stderr


def test_an_online_check_of_the_sandbox_asks_nothing(tmp_path: Path) -> None:
    """It does not run then."""
    done = run(tmp_path, "check", "--online", "--sandbox")

    assert done.returncode == 0, done.stderr
    assert "credentials  not tried: the sandbox is enabled" in done.stdout


def test_a_check_names_every_secret_that_is_missing(tmp_path: Path) -> None:
    """A configuration that was just begun has several."""
    (tmp_path / "adapter.toml").write_text(run(tmp_path, "config").stdout)
    done = run(tmp_path, "check", "--config", "adapter.toml", GEMINI_API_KEY="key", ADAPTER_KEY="", FLOW_TOKEN="")

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "adapter: access.keys[0]: the environment variable ADAPTER_KEY is not set.",
        "providers.flow.accounts[0].token: the environment variable FLOW_TOKEN is not set.",
    ]


def test_a_check_names_everything_that_is_wrong_at_once(tmp_path: Path) -> None:
    """A secret, the catalogue, the database, the media store and the spool are looked at even if one is bad."""
    (tmp_path / "taken").write_text("")
    (tmp_path / "adapter.toml").write_text("models = 'nowhere.toml'\n" + online("http://127.0.0.1:9", "k"))
    wrong = {
        "ADAPTER__ACCESS__KEYS": '["env:NOT_SET"]',
        "ADAPTER__STORAGE__DATABASE": "sqlite:///taken/adapter.db",
        "ADAPTER__STORAGE__MEDIA": "file://taken/media",
        "ADAPTER__JOBS__SPOOL": "taken/spool",
    }
    done = run(tmp_path, "check", "--config", "adapter.toml", **wrong)

    named = ["models: ", "access.keys[0]: ", "storage.database", "storage.media: ", "jobs.spool"]
    said = done.stderr.removeprefix("adapter: ").splitlines()
    assert done.returncode == 1
    assert [line[: len(name)] for line, name in zip(said, named, strict=True)] == named


def test_files_without_an_owner_are_named_and_deleted_when_told(tmp_path: Path) -> None:
    """A file that is missing ends the command with status 1."""
    media = tmp_path / "var" / "sandbox" / "media"
    media.mkdir(parents=True)
    loose, link = media / f"{'0' * 32}_upload.png", media / f"{'1' * 32}.png"
    for file in (loose, link):
        file.write_bytes(b"content")
        os.utime(file, (0, 0))
    told = run(tmp_path, "media", "check", "--sandbox")
    before = loose.exists()
    deleted = run(tmp_path, "media", "check", "--sandbox", "--json", "--delete")
    with closing(sqlite3.connect(tmp_path / "var" / "sandbox" / "adapter.db")) as database:
        database.execute(
            "INSERT INTO files (id, owner, filename, purpose, size, name, stem, created_at)"
            " VALUES ('file-1', 'ada', 'fox.png', 'vision', 7, 'gone.png', 'gone', 1)"
        )
        database.commit()
    missing = run(tmp_path, "media", "check", "--sandbox", "--json")

    assert (told.returncode, before) == (0, True)
    assert f"without owner  1\n  {loose.name}" in told.stdout
    assert json.loads(deleted.stdout) | {"without_owner": [], "bytes": 0} == {
        "files": 2,
        "bytes": 0,
        "owned": 0,
        "links": 1,
        "young": 0,
        "foreign": 0,
        "without_owner": [],
        "deleted": 1,
        "missing": [],
    }
    assert (loose.exists(), link.exists()) == (False, True)
    assert (missing.returncode, json.loads(missing.stdout)["missing"]) == (1, ["gone.png"])


def test_the_sandbox_is_not_mixed_with_another_configuration(tmp_path: Path) -> None:
    """Which of the two counts is not guessed; but the variable may stand there for all other commands."""
    both = run(tmp_path, "models", "--sandbox", "--config", "adapter.toml")
    assert both.returncode == 2
    assert "either --config or --sandbox" in both.stderr

    assert run(tmp_path, "models", "--sandbox", ADAPTER_CONFIG="nowhere.toml").returncode == 0


def test_without_a_configuration_it_says_how_to_begin(tmp_path: Path) -> None:
    """A file that was asked for is named alone. The one that `adapter init` writes is found."""
    nothing = run(tmp_path, "serve")
    assert nothing.returncode == 1
    assert "`adapter serve --sandbox`" in nothing.stderr
    assert "`adapter config > adapter.toml`" in nothing.stderr
    (tmp_path / "adapter.toml").write_text(run(tmp_path, "config").stdout)
    assert "gemini-3.1-flash-image" in run(tmp_path, "models").stdout

    missing = "adapter: mine.toml cannot be read: No such file or directory.\n"
    assert run(tmp_path, "serve", "--config", "mine.toml").stderr == missing
    assert run(tmp_path, "serve", ADAPTER_CONFIG="mine.toml").stderr == missing


def test_relative_paths_follow_the_configuration(tmp_path: Path) -> None:
    """Every command finds the same database, whatever folder it is started in."""
    home, elsewhere = tmp_path / "srv" / "config", tmp_path / "elsewhere"
    home.mkdir(parents=True)
    elsewhere.mkdir()
    config = home / "adapter.toml"
    config.write_text("[access]\nkeys = []")

    run(elsewhere, "keys", "create", "ada", "--config", str(config))
    run(home, "keys", "create", "ben", "--config", "adapter.toml")
    run(tmp_path / "srv", "keys", "create", "cleo")

    listed = run(elsewhere, "keys", "list", "--config", str(config)).stdout
    assert [line.split()[0] for line in listed.splitlines()] == ["key", "ada", "ben", "cleo"]
    assert sorted(path.name for path in (tmp_path / "srv").iterdir()) == ["config", "var"]
    assert list(elsewhere.iterdir()) == []


def test_what_an_older_version_stored_is_still_found(tmp_path: Path) -> None:
    """It began paths in the folder of the start. The log says where they belong."""
    config, started = tmp_path / "etc" / "adapter.toml", tmp_path / "started"
    config.parent.mkdir()
    config.write_text("[access]\nkeys = []")
    run(started.parent, "keys", "create", "ada", "--config", str(config))
    (tmp_path / "etc" / "var").rename(tmp_path / "var")

    done = run(tmp_path, "keys", "list", "--config", str(config))

    assert done.stdout.splitlines()[1].startswith("ada ")
    assert "settings.former_folder" in done.stderr


def test_the_folder_of_paths_can_be_said(tmp_path: Path) -> None:
    """A service has its configuration in one place and its data in another one."""
    config = tmp_path / "adapter.toml"
    config.write_text("folder = 'data'\n[access]\nkeys = []")

    missing = run(tmp_path, "keys", "create", "ada", "--config", "adapter.toml")
    (tmp_path / "data").mkdir()
    run(tmp_path, "keys", "create", "ada", "--config", "adapter.toml")

    assert missing.stderr == f"adapter: folder: {tmp_path}/data cannot be entered: No such file or directory.\n"
    assert (tmp_path / "data" / "var" / "adapter.db").exists()


@pytest.mark.parametrize("name", ["adapter", "models", "sandbox"])
def test_the_files_that_come_with_it_are_printed(tmp_path: Path, name: str) -> None:
    """As they are, to begin one's own with."""
    printed = run(tmp_path, "config", name).stdout

    assert printed == (ROOT / "config" / f"{name}.toml").read_text(encoding="utf-8")


def test_a_file_is_printed_in_utf8_on_every_terminal(tmp_path: Path) -> None:
    """A Python that was started with another encoding has that encoding for everything else."""
    printed = start(tmp_path, "config", "sandbox", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0").stdout

    assert printed == (ROOT / "config" / "sandbox.toml").read_text(encoding="utf-8")


def test_a_printed_configuration_is_complete(tmp_path: Path) -> None:
    """It needs no catalogue beside it."""
    config = tmp_path / "adapter.toml"
    config.write_text(run(tmp_path, "config").stdout, encoding="utf-8")

    assert load_catalogue(config, load_settings(config, {})).find("veo-3.1-fast").name == "veo-3.1-fast"


def test_a_folder_in_which_nothing_can_be_kept_is_named(tmp_path: Path) -> None:
    """The sandbox's state is the first thing that is kept."""
    (tmp_path / "var").write_text("a file where a folder should be")
    done = run(tmp_path, "serve", "--sandbox", "--port", "0", ADAPTER__SANDBOX__PORT="0")

    assert done.returncode == 1
    assert "cannot keep its state in var/sandbox/upstream" in done.stderr


def test_usage_is_told_without_a_server(tmp_path: Path) -> None:
    """For people and for programs. What a line may be of is said where it is wrong."""
    (tmp_path / "adapter.toml").write_text('[access]\nkeys = ["plain:a-key-of-a-client-12"]\n')
    table = run(tmp_path, "usage", "--config", "adapter.toml", "--since", "2026-11-01", "--until", "2026-11-29")
    told = run(tmp_path, "usage", "--config", "adapter.toml", "--by", "day", "--json")
    wrong = run(tmp_path, "usage", "--config", "adapter.toml", "--by", "week")
    no_day = run(tmp_path, "usage", "--config", "adapter.toml", "--since", "2026-13-01")
    backwards = run(tmp_path, "usage", "--config", "adapter.toml", "--since", "2026-11-02", "--until", "2026-11-01")

    assert table.stdout == "Nothing was made from 2026-11-01 to 2026-11-29 (UTC).\n"
    assert json.loads(told.stdout)["total"]["requests"] == 0
    assert (wrong.returncode, "day, hour, key" in wrong.stderr) == (2, True)
    assert "'2026-13-01' is no day, such as 2026-11-01." in no_day.stderr
    assert "the last day, 2026-11-01, comes before the first one, 2026-11-02" in backwards.stderr
