"""The command `adapter`. Each command's module is loaded when the command runs.

All modules together take 0.8 s of a core. `--help` and the completion of the Tab key need none of them: the names and
what is said of each are in a table here. `tests/test_entry.py` compares it with the commands.
"""

import errno
import gc
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Final, NamedTuple

import click
from click.shell_completion import CompletionItem

from adapter.errors import AdapterError
from adapter.version import VERSION

#: The package of the commands that work on a configuration. Each has a module of its name.
CONFIGURED: Final = "adapter.commands"
CLIENT: Final = "adapter.client.commands"
#: What the system says of an output that takes nothing more: a full disk, a used up quota, a device that is gone.
UNWRITABLE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})


class CommandPlace(NamedTuple):
    """Where a command is, and what it is for."""

    words: str
    package: str = CONFIGURED
    #: Those that write none load less.
    writes_log: bool = True

    def module(self, name: str) -> str:
        """Return the module of the command of that name."""
        return self.package if self.package == CLIENT else f"{self.package}.{name}"


COMMANDS: Final[Mapping[str, CommandPlace]] = {
    "accounts": CommandPlace("Look at the accounts and keys at Google, and give them work or none."),
    "check": CommandPlace("Check the configuration: secrets, database, media store and spool."),
    "config": CommandPlace("Print a file that comes with the program, as the start of your own.", writes_log=False),
    "image": CommandPlace("Make a picture of PROMPT with a running adapter.", CLIENT, writes_log=False),
    "init": CommandPlace("Ask five questions and write a configuration.", writes_log=False),
    "jobs": CommandPlace("Look at jobs, and cancel them: videos, and pictures in the background."),
    "keys": CommandPlace("Make and end keys beside those of the configuration."),
    "media": CommandPlace("Look at the stored files."),
    "models": CommandPlace("List the models that this configuration offers, with what they cost today."),
    "reload": CommandPlace("Let the running servers of this machine read their configuration again."),
    "sandbox": CommandPlace("Serve only the emulator of Gemini and Flow."),
    "serve": CommandPlace("Serve the API."),
    "usage": CommandPlace("Show what was made and spent, by key, model and day."),
    "video": CommandPlace("Make a video of PROMPT with a running adapter.", CLIENT, writes_log=False),
}


class LazyCommands(click.Group):
    """All commands by name. One is loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names."""
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Return a command; None: there is none of that name."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        found: click.Command = getattr(import_module(place.module(cmd_name)), cmd_name)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the nearest one."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches  # noqa: PLC0415 - only mistakes need it

            near = get_close_matches(args[0], COMMANDS, n=1)
            if not near:
                raise
            raise click.UsageError(f"{error.message.rstrip('.')}. Did you mean '{near[0]}'?", ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """Write the names and what they are for."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.words) for name, place in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the names that begin like this, and the options."""
        names = [name for name in COMMANDS if name.startswith(incomplete)]
        return [
            *(CompletionItem(name, help=COMMANDS[name].words) for name in names),
            *click.Command.shell_complete(self, ctx, incomplete),
        ]


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="adapter", message="%(prog)s %(version)s")
@click.pass_context
def adapter(ctx: click.Context) -> None:
    """An OpenAI-compatible API in front of Google's media generators."""
    if COMMANDS[ctx.invoked_subcommand or "serve"].writes_log:
        from adapter.logs import configure_logs  # noqa: PLC0415 - some commands write no log

        configure_logs()
    gc.freeze()
    gc.enable()


def open_closed_streams() -> None:
    """Lead standard streams that were closed to nothing.

    Else the next file or connection would get the number of one, and what is written to the stream would go there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            try:
                os.fstat(number)
            except OSError:
                os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115 - it stays


def main() -> None:
    """Run the command line; what is wrong with the configuration is one sentence and exit status 1."""
    open_closed_streams()
    if sys.argv[1:2] == ["serve"]:
        # Its modules take most of a second. A SIGHUP in that time would end the process, and systemd takes that for a
        # stop that was wanted: it starts nothing again.
        from adapter.reload_signal import ignore_signals  # noqa: PLC0415 - only a server is told to reload

        ignore_signals()
    try:
        adapter(prog_name="adapter")
    except AdapterError as error:
        click.echo(f"adapter: {error.message}", err=True)
        sys.exit(1)
    except OSError as error:
        if error.errno not in UNWRITABLE or error.filename is not None:
            raise
        _let_go_of_output()
        click.echo(f"adapter: the output cannot be written: {error.strerror}.", err=True)
        sys.exit(1)


def _let_go_of_output() -> None:
    """Lead what is left in the buffer of standard output to nothing: Python writes it again when it ends."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)
