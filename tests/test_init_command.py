"""A first configuration by questions: the shipped file with what was said."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter.commands.first_configuration import SERVICES, FirstAnswers, first_configuration
from adapter.commands.init import init
from adapter.settings import Settings, load_settings
from tests.support import ROOT

SHIPPED = (ROOT / "config" / "adapter.toml").read_text()
#: Up to the first bracket: `providers.flow.accounts` is of `flow`.
HEADER = re.compile(r"^\[\[?(providers\.\w+)", re.MULTILINE)
PROJECT = "02ac868b-925f-40c1-9187-a688bd03a84d"


def asked(folder: Path, *said: str, force: bool = False) -> Result:
    """Answer the questions."""
    arguments = [str(folder / "adapter.toml"), *(["--force"] if force else [])]
    return CliRunner().invoke(init, arguments, input="".join(f"{each}\n" for each in said))


def read(folder: Path) -> Settings:
    """Read what was written."""
    return load_settings(folder / "adapter.toml", {})


def test_what_was_said_is_in_the_configuration(tmp_path: Path) -> None:
    """The server listens for the clients that were named."""
    done = asked(tmp_path, "gemini, flow", "file:/run/gemini", "cmd:token main", PROJECT, "http://box:9000/v1/")
    settings, text = read(tmp_path), (tmp_path / "adapter.toml").read_text()

    assert done.exit_code == 0, done.output
    assert (settings.server.host, settings.server.port) == ("0.0.0.0", 9000)
    assert settings.public_url == "http://box:9000"
    assert [reference for _, reference in settings.secrets()] == [
        "env:ADAPTER_KEY",
        "file:/run/gemini",
        "cmd:token main",
    ]
    assert f'project_id = "{PROJECT}"' in text
    assert "\n[providers.omni]" not in text
    assert "export ADAPTER_KEY=" in done.output
    assert f"adapter serve --config {tmp_path / 'adapter.toml'}" in done.output


def test_the_usual_answers_need_no_words(tmp_path: Path) -> None:
    """Gemini, its usual variable, this machine."""
    done = asked(tmp_path, "", "", "")

    assert [reference for _, reference in read(tmp_path).secrets()] == ["env:ADAPTER_KEY", "env:GEMINI_API_KEY"]
    assert read(tmp_path).server.host == "127.0.0.1"
    assert "export GEMINI_API_KEY=" in done.output


def test_a_wrong_answer_is_asked_for_again(tmp_path: Path) -> None:
    """A secret itself is one, and is not repeated."""
    done = asked(tmp_path, "openai", "omni", "AIza-secret", "env:KEY", "media.example", "https://media.example")

    assert done.exit_code == 0, done.output
    assert "these are: gemini, omni, flow." in done.output
    assert "say where the secret is, not the secret" in done.output
    assert done.output.count("AIza-secret") <= 1  # as it was typed
    assert read(tmp_path).public_url == "https://media.example"
    assert (read(tmp_path).server.host, read(tmp_path).server.port) == ("127.0.0.1", 8000)


def test_a_file_that_exists_is_kept(tmp_path: Path) -> None:
    """Unless it is said otherwise; an end of the input writes nothing either."""
    (tmp_path / "adapter.toml").write_text("mine")
    refused = asked(tmp_path, "", "", "")
    kept = (tmp_path / "adapter.toml").read_text()
    ended = asked(tmp_path, "gemini", force=True)

    assert (refused.exit_code, kept) == (1, "mine")
    assert "exists. --force replaces it." in refused.output
    assert (ended.exit_code, (tmp_path / "adapter.toml").read_text()) == (1, "mine")
    assert asked(tmp_path, "", "", "", force=True).exit_code == 0
    assert (tmp_path / "adapter.toml").read_text() != "mine"


def test_a_folder_that_is_not_there_is_named_before_the_questions(tmp_path: Path) -> None:
    """Five answers for nothing are too many."""
    refused = asked(tmp_path / "nowhere", "", "", "")

    assert refused.exit_code == 1
    assert refused.output == f"Error: The folder {tmp_path / 'nowhere'} is not there, or takes no file.\n"


def test_the_next_commands_can_be_copied(tmp_path: Path) -> None:
    """A name with a space is quoted."""
    folder = tmp_path / "my files"
    folder.mkdir()

    assert f"adapter check --config '{folder / 'adapter.toml'}'\n" in asked(folder, "", "", "").output


def test_an_address_that_the_server_would_refuse_is_asked_for_again(tmp_path: Path) -> None:
    """Links begin with it, so it has no question and no user."""
    done = asked(tmp_path, "", "", "https://media.example/?a=b", "https://me:pw@media.example", "https://media.example")

    assert done.output.count("has no user, ? and #") == 2
    assert read(tmp_path).public_url == "https://media.example"


def test_the_shipped_answers_give_the_shipped_file() -> None:
    """So nothing is lost on the way, explanations neither."""
    answers = FirstAnswers(services=frozenset(SERVICES), flow_project="YOUR-PROJECT-ID")

    assert first_configuration(SHIPPED, answers) == SHIPPED


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_is_not_there_leaves_with_its_section(service: str) -> None:
    """All other lines stay."""
    left = first_configuration(SHIPPED, FirstAnswers(services=frozenset({service})))

    assert {header.split(".")[1] for header in HEADER.findall(left)} == {service}
    assert left.split("\n\n")[0] == SHIPPED.split("\n\n")[0]
    assert left.endswith(SHIPPED[SHIPPED.index("[jobs]") :])


def test_a_long_value_is_not_run_into_its_comment() -> None:
    """The comment moves."""
    answers = FirstAnswers(services=frozenset({"flow"}), flow_project=PROJECT)
    [line] = [each for each in first_configuration(SHIPPED, answers).split("\n") if each.startswith("project_id")]

    assert line == f'project_id = "{PROJECT}" # the project in the address bar of Flow'
