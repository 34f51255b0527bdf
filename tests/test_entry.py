"""The command `adapter` knows its commands before it loads them."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import click
import pytest

from adapter import commands
from adapter.entry import COMMANDS, CONFIGURED, LazyCommands, adapter
from tests.support import ROOT

#: What help and completion do without.
HEAVY = (
    *("litestar", "uvicorn", "obstore", "alembic", "adapter.wiring", "adapter.generation"),
    *("sqlalchemy.orm", "sqlalchemy", "structlog"),
)
#: Runs the command line, and then prints which of these libraries were loaded.
PROGRAM = """
import sys
from adapter.entry import adapter
try:
    adapter(sys.argv[1:], prog_name="adapter")
except SystemExit as end:
    assert not end.code, end.code
print("loaded:", *[name for name in {heavy} if name in sys.modules])
"""


def loaded(*arguments: str, folder: Path = ROOT, **environ: str) -> tuple[str, list[str]]:
    """Return what a command printed, and the libraries that it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(heavy=HEAVY), *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environ,
        capture_output=True,
        text=True,
        check=True,
    )
    said, _, names = done.stdout.rpartition("loaded:")
    return said, names.split()


def test_the_table_has_every_command_and_no_other() -> None:
    """Of the package that has most of them."""
    names = [each.name for each in iter_modules(commands.__path__)]
    found = {name: getattr(import_module(f"{CONFIGURED}.{name}"), name, None) for name in names}

    assert {name for name, place in COMMANDS.items() if place.package == CONFIGURED} == {
        name for name, each in found.items() if isinstance(each, click.Command)
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_what_the_table_says(name: str) -> None:
    """By the first sentence of its help."""
    context = click.Context(adapter)
    assert isinstance(adapter, LazyCommands)
    command = adapter.get_command(context, name)
    assert command is not None
    said = (command.help or "").partition("\n")[0]

    assert command.name == name
    assert said.startswith(COMMANDS[name].words.rstrip(".")[:12])


def test_help_loads_no_command() -> None:
    """Nor does the version."""
    said, names = loaded("--help")

    assert "Serve only the emulator of Gemini and Flow." in said
    assert names == []
    assert loaded("--version")[1] == []


def test_the_tab_key_loads_no_command() -> None:
    """The shell calls the program for each press."""
    said, names = loaded(_ADAPTER_COMPLETE="bash_complete", COMP_WORDS="adapter i", COMP_CWORD="1")

    assert [line.partition(",")[2] for line in said.split()] == ["image", "init"]
    assert names == []


def test_the_clients_load_nothing_of_the_server() -> None:
    """They are used often, and elsewhere."""
    assert loaded("image", "--help")[1] == []


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a configuration, and a database that is up to date: one that is not needs a library."""
    folder = tmp_path_factory.mktemp("configured")
    (folder / "adapter.toml").write_text('[providers.gemini]\nkeys = [{ name = "main", key = "plain:a-key" }]\n')
    loaded("keys", "create", "app", folder=folder, ADAPTER_CONFIG="adapter.toml")
    return folder


@pytest.mark.parametrize("command", ["keys list", "keys show app", "jobs list", "usage", "accounts"])
def test_a_look_into_the_database_loads_the_database_alone(configured: Path, command: str) -> None:
    """Not the server, nor the media."""
    said, names = loaded(*command.split(), folder=configured, ADAPTER_CONFIG="adapter.toml")

    assert said
    assert names == ["sqlalchemy", "structlog"]


def test_a_look_into_the_configuration_loads_no_database(configured: Path) -> None:
    """The catalogue is a file."""
    said, names = loaded("models", folder=configured, ADAPTER_CONFIG="adapter.toml")

    assert "gemini-3.1-flash-image" in said
    assert names == ["structlog"]


def test_an_unknown_command_is_named() -> None:
    """With the usual status of a wrong command line."""
    done = subprocess.run(
        [sys.executable, "-m", "adapter", "sreve"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, "No such command 'sreve'. Did you mean 'serve'?" in done.stderr) == (2, True)


def test_a_hangup_before_a_server_is_loaded_ends_nothing() -> None:
    """`systemctl reload` may come right after the start."""
    program = """
import os, signal, sys

class Hangup:
    def find_spec(self, name, path, target=None):
        if name == "adapter.commands.serve":
            os.kill(os.getpid(), signal.SIGHUP)

sys.meta_path.insert(0, Hangup())
sys.argv = ["adapter", "serve", "--help"]
from adapter.entry import main
main()
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, "Serve the API." in done.stdout) == (0, True)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("config > /dev/full", "adapter: the output cannot be written: No space left on device.\n"),
        ("image - -o fox.png <&-", "Error: The prompt is empty.\n"),
        ("init <&-", "Aborted!\n"),
    ],
)
def test_streams_that_cannot_be_used_are_one_sentence(command: str, says: str, tmp_path: Path) -> None:
    """And no traceback."""
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m adapter {command}', sys.executable],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert done.stderr.endswith(says)
    assert "Traceback" not in done.stderr


def test_closed_streams_lead_to_nothing(tmp_path: Path) -> None:
    """A connection or a file of the database that got the number of one would get what is written to it."""
    program = """
import os, sys
sys.argv = ["adapter", "--version"]
from adapter.entry import main
try:
    main()
finally:
    streams = [sys.stdin, sys.stdout, sys.stderr]
    kinds = [os.path.samestat(os.fstat(stream.fileno()), os.stat(os.devnull)) for stream in streams]
    open("seen", "w").write(str(([stream.fileno() for stream in streams], kinds)))
"""
    subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', sys.executable, program],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
    )

    assert (tmp_path / "seen").read_text() == "([0, 1, 2], [True, True, True])"
