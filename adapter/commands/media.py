"""`adapter media`: looks at the stored files."""

import sys
from pathlib import Path

import click
import msgspec

from adapter.clock import SystemClock
from adapter.commands.database_use import use_database
from adapter.commands.opening import open_settings
from adapter.commands.options import with_config
from adapter.database.engine import Database
from adapter.media.leftovers import Leftovers, MediaReport
from adapter.records.registry import SqlFileRegistry
from adapter.settings import Settings
from adapter.wiring import build_media_store, build_retention


@click.group()
def media() -> None:
    """Look at the stored files."""


@media.command(name="check")
@with_config
@click.option("--delete", is_flag=True, help="Delete the files that have no owner.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def check_media(config: Path, *, delete: bool, as_json: bool) -> None:
    """Compare the stored files with the database. A server may run meanwhile.

    Ends with status 1 if files are missing. The names of files open links: keep the report to yourself.
    """
    settings = open_settings(config)
    report = use_database(settings, lambda it: _check_media(settings, it, delete=delete))
    click.echo(msgspec.json.encode(report).decode() if as_json else _media_lines(report))
    if report.missing:
        sys.exit(1)


async def _check_media(settings: Settings, database: Database, *, delete: bool) -> MediaReport:
    clock, retention = SystemClock(), build_retention(settings)
    leftovers = Leftovers(build_media_store(settings), SqlFileRegistry(database), clock)
    report = await leftovers.check(since=clock.now() - retention.keep if retention else 0.0)
    if delete:
        await leftovers.delete(report)
    return report


def _media_lines(report: MediaReport) -> str:
    """Return a report in words."""
    gone = f", {report.deleted} deleted" if report.deleted else ""
    lines = [
        f"files          {report.files}, {report.bytes} bytes",
        f"owned          {report.owned}",
        f"links          {report.links}",
        f"young          {report.young}",
        f"other names    {report.foreign}",
        f"without owner  {len(report.without_owner)}{gone}",
        *(f"  {name}" for name in report.without_owner),
        f"missing        {len(report.missing)}",
        *(f"  {name}" for name in report.missing),
    ]
    return "\n".join(lines)
