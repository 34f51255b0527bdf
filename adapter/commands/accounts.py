"""`adapter accounts`: looks at the accounts and keys at Google, and switches them."""

from pathlib import Path
from typing import Final

import click
import msgspec

from adapter.accounts import summaries, switch
from adapter.clock import SystemClock
from adapter.commands.database_use import use_database
from adapter.commands.opening import open_settings
from adapter.commands.options import with_config, with_json
from adapter.commands.table import print_table
from adapter.commands.times import minute
from adapter.domain.credentials import CredentialSummary, Health

HEADINGS: Final = ("account", "health", "credits", "tier", "calls", "rests", "last error")


class ListingGroup(click.Group):
    """A group that lists where no command is said: `adapter accounts --json` is `adapter accounts list --json`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command `list` in front of its options."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=ListingGroup)
def accounts() -> None:
    """Look at the accounts and keys at Google, and give them work or none.

    Without a command they are listed.
    """


@accounts.command(name="list")
@with_config
@with_json
def list_accounts(config: Path, *, as_json: bool) -> None:
    """List accounts and keys, and how they stand in the servers that run.

    Credits, tier, calls under way, the last error, and for how long an account rests after a refusal.
    """
    settings, now = open_settings(config), SystemClock().now()
    found = use_database(settings, lambda it: summaries(settings, it, now=now))
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    print_table(HEADINGS, [_row(each, now) for each in found])
    if not any(each.processes for each in found):
        click.echo("No server with this database runs, so only names and switches are known.")


def _row(each: CredentialSummary, now: float) -> tuple[str, ...]:
    rests = "" if each.rests_until is None else f"{max(0, round(each.rests_until - now))} s"
    if rests and each.rests_for:
        rests += f" ({', '.join(each.rests_for)})"
    told = "" if each.error_at is None else f"{minute(each.error_at)} {each.error_code}: {each.error}"
    return (
        f"{each.provider}/{each.name}",
        str(each.health),
        "" if each.credits is None else str(each.credits),
        each.tier or "",
        str(each.calls) if each.processes else "",
        rests if each.health is not Health.DISABLED else "",
        told,
    )


@accounts.command(name="enable")
@with_config
@click.argument("name")
def enable_account(config: Path, name: str) -> None:
    """Give an account or a key new work again. NAME may be PROVIDER/NAME."""
    _switch_account(config, name, is_on=True)


@accounts.command(name="disable")
@with_config
@click.argument("name")
def disable_account(config: Path, name: str) -> None:
    """Give an account or a key no new work, also after a restart. NAME may be PROVIDER/NAME.

    Every server with this database hears of it within seconds. The videos that the account has are finished.
    """
    _switch_account(config, name, is_on=False)


def _switch_account(config: Path, name: str, *, is_on: bool) -> None:
    settings, now = open_settings(config), SystemClock().now()
    click.echo(use_database(settings, lambda it: switch(settings, it, name, is_on=is_on, now=now)))
