"""`adapter check`: looks at everything that a server with this configuration would need."""

import asyncio
from pathlib import Path

import click

from adapter import serving
from adapter.access.keys import SqlKeyStore
from adapter.app import create_app
from adapter.clock import SystemClock
from adapter.commands.online_check import credential_reports
from adapter.commands.opening import open_settings, with_database
from adapter.commands.options import with_config
from adapter.database.address import without_password
from adapter.errors import AdapterError, WrongConfiguration, reason_of
from adapter.jobs import spool
from adapter.machine import read_machine
from adapter.retirements import retirements, today
from adapter.risks import risks
from adapter.settings import Settings, catalogue_file, load_catalogue
from adapter.wiring import build_media_store, settings_secret


@click.command()
@with_config
@click.option("--online", is_flag=True, help="Also make one free call to Google with each credential.")
def check(config: Path, *, online: bool) -> None:
    """Check the configuration: secrets, database, media store and spool."""
    settings = open_settings(config)
    catalogue = load_catalogue(config, settings)
    _check_references(settings)
    create_app(settings, catalogue)
    for line in asyncio.run(_checks(settings)):
        click.echo(line)
    now = SystemClock().now()
    for found in retirements(settings, catalogue, now):
        click.echo(f"warning: models: {found.message(today(now))}")
    names = len(list(catalogue.models))
    click.echo(f"models       {names} names, from {catalogue_file(config, settings)}")
    if not names:
        raise WrongConfiguration(f"{config}: no provider is configured, so there is no model to ask for.")
    if online and settings.sandbox.enabled:
        click.echo("credentials  not tried: the sandbox is enabled")
    elif online:
        _try_credentials(settings)


def _try_credentials(settings: Settings) -> None:
    reports = asyncio.run(credential_reports(settings))
    for provider, report in reports:
        word = "ok " if report.is_good else "BAD"
        click.echo(f"credential   {word} providers.{provider} {report.name}: {report.words}")
    if not all(report.is_good for _, report in reports):
        raise click.exceptions.Exit(1)


def _check_references(settings: Settings) -> None:
    """Check every reference to a secret, and name all that cannot be read: a new configuration has several."""
    wrong = []
    for key, reference in settings.secrets():
        try:
            settings_secret(settings, key, reference)
        except WrongConfiguration as fault:
            wrong.append(fault.message)
    if wrong:
        raise WrongConfiguration("\n".join(wrong))


async def _checks(settings: Settings) -> list[str]:
    """Read every secret, open the database and the media store. Report what was found, never a secret."""
    said = []
    for key, reference in settings.secrets():
        try:
            await settings_secret(settings, key, reference).read()
        except AdapterError as fault:
            raise WrongConfiguration(f"{key}: {reason_of(fault)}") from fault
        said.append(f"secret       ok  {key}")
    made = await with_database(settings, lambda it: SqlKeyStore(it).all())
    said.append(f"database     ok  {without_password(settings.storage.database)}")
    await build_media_store(settings).try_out()
    said.append(f"media        ok  {settings.storage.media}")
    if settings.jobs.spool:
        spool.try_out(Path(settings.jobs.spool))
        said.append(f"spool        ok  {settings.jobs.spool}")
    said.append(f"folder       {Path.cwd()}")
    taken = "in use, by this server if it is running, or by another program" if serving.is_taken(settings) else "free"
    said.append(f"port         {settings.server.port} is {taken}")
    said.append(f"links begin  {settings.public_url}")
    if not (settings.access.keys or settings.access.anonymous or [key for key in made if key.revoked_at is None]):
        said.append("warning: there is no key; `python -m adapter keys create NAME` makes one")
    active = {key.name for key in made if key.revoked_at is None}
    for table, names in settings.keys_named.items():
        if unknown := [name for name in names if name not in active | {*settings.access.known_keys}]:
            said.append(f"warning: {table} names keys that there are not: {', '.join(unknown)}")
    found = risks(settings, await read_machine(settings))
    return said + [f"warning: {risk.setting}: {risk.message}" for risk in found]
