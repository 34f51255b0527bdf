"""`adapter usage`: what was made and spent."""

from datetime import date
from pathlib import Path

import click

from adapter.clock import SystemClock
from adapter.commands import usage_report
from adapter.commands.database_use import use_database
from adapter.commands.opening import open_settings
from adapter.commands.options import with_config, with_json
from adapter.records.usage import SqlUsageStore


def _day(_ctx: click.Context, _option: click.Parameter, said: str | None) -> date | None:
    try:
        return None if said is None else date.fromisoformat(said)
    except ValueError as error:
        raise click.BadParameter(f"'{said}' is no day, such as 2026-11-01.") from error


@click.command()
@with_config
@click.option("--by", default="key,model", show_default=True, help="What a line is of: day, hour, key, owner, model …")
@click.option("--since", callback=_day, metavar="DAY", help="First day, such as 2026-11-01. [default: 30 days]")
@click.option("--until", callback=_day, metavar="DAY", help="Last day, in UTC as the first. [default: today]")
@with_json
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
def usage(  # noqa: PLR0913 - each is an option
    config: Path, by: str, since: date | None, until: date | None, *, as_json: bool, as_csv: bool
) -> None:
    """Show what was made and spent, by key, model and day.

    A running server writes pictures every two seconds. What a server made before it counted is not in it.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv are two forms. Say one of them.")
    settings = open_settings(config)
    try:
        columns = usage_report.read_columns(by)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--by") from error
    try:
        first, last = usage_report.usual_days(SystemClock().now(), since, until)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="'--since' / '--until'") from error
    query = usage_report.query_of(first, last, columns)
    sums = use_database(settings, lambda it: SqlUsageStore(it).sums(query))
    report = usage_report.UsageReport(since=first, until=last, by=columns, sums=sums)
    write = usage_report.as_json if as_json else usage_report.as_csv if as_csv else usage_report.as_table
    click.echo(write(report), nl=as_json)
