"""`adapter reload`: asks the servers of this machine to read their configuration again."""

from pathlib import Path

import click
import msgspec

from adapter.commands.opening import open_settings
from adapter.commands.options import with_config, with_json
from adapter.control import ReloadCommand, ask_all
from adapter.errors import WrongConfiguration
from adapter.reloading import reload_words


@click.command()
@with_config
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@with_json
def reload(config: Path, *, dry_run: bool, as_json: bool) -> None:
    """Let the running servers of this machine read their configuration again. A wrong one changes nothing."""
    folder = open_settings(config).server.control
    if not folder:
        raise WrongConfiguration("server.control is empty, so no server can be found. `kill -HUP PID` reloads one.")
    reports = dict(ask_all(Path(folder), ReloadCommand(dry_run=dry_run)))
    if not reports:
        raise WrongConfiguration(
            f"No server with this configuration runs here: {Path(folder).absolute()} has no socket."
        )
    if as_json:
        click.echo(msgspec.json.encode(reports))
    else:
        for name, report in reports.items():
            click.echo(reload_words(name, report, dry_run=dry_run))
    if any(report.mistakes for report in reports.values()):
        raise click.exceptions.Exit(1)
