"""`adapter check`: looks at everything that a server with this configuration would need."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec

from adapter import serving
from adapter.access.keys import KeyRecord, SqlKeyStore
from adapter.app import create_app
from adapter.clock import SystemClock
from adapter.commands.database_use import with_database
from adapter.commands.online_check import credential_reports
from adapter.commands.opening import open_settings
from adapter.commands.options import with_config
from adapter.database.address import without_password
from adapter.domain.catalogue import Catalogue
from adapter.errors import AdapterError, WrongConfiguration, reason_of
from adapter.jobs import spool
from adapter.key_models import key_risks, unknown_models
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
    catalogue, wrong = _catalogue(config, settings)
    findings = asyncio.run(_checks(settings, catalogue))
    for line in findings.said:
        click.echo(line)
    wrong += findings.wrong
    if wrong or catalogue is None:
        raise WrongConfiguration("\n".join(wrong))
    create_app(settings, catalogue)
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


def _catalogue(config: Path, settings: Settings) -> tuple[Catalogue | None, list[str]]:
    """Return the catalogue, or what is wrong with it."""
    try:
        return load_catalogue(config, settings), []
    except WrongConfiguration as fault:
        return None, [fault.message]


class _Findings(msgspec.Struct):
    """What was found. A new configuration has several mistakes, so the first one ends nothing."""

    said: list[str] = []
    wrong: list[str] = []

    @contextmanager
    def part(self, words: str, key: str = "") -> Iterator[None]:
        """Note that a part is good, or what is wrong with it."""
        try:
            yield
        except WrongConfiguration as fault:
            self.wrong.append(fault.message)
        except AdapterError as fault:
            self.wrong.append(f"{key}: {reason_of(fault)}")
        else:
            self.said.append(words)


async def _checks(settings: Settings, catalogue: Catalogue | None) -> _Findings:
    """Read every secret, open the database and the media store. Report what was found, never a secret."""
    found = _Findings()
    for key, reference in settings.secrets():
        with found.part(f"secret       ok  {key}", key):
            await settings_secret(settings, key, reference).read()
    made: Sequence[KeyRecord] | None = None
    with found.part(f"database     ok  {without_password(settings.storage.database)}", "storage.database"):
        made = await with_database(settings, lambda it: SqlKeyStore(it).all())
    with found.part(f"media        ok  {settings.storage.media}", "storage.media"):
        await build_media_store(settings).try_out()
    if settings.jobs.spool:
        with found.part(f"spool        ok  {settings.jobs.spool}", "jobs.spool"):
            spool.try_out(Path(settings.jobs.spool))
    found.said += _about_the_place(settings)
    if made is not None:
        valid = [key for key in made if key.revoked_at is None]
        found.said += _about_keys(settings, catalogue, valid)
    if catalogue is not None and not found.wrong:
        known = [*risks(settings, await read_machine(settings)), *key_risks(settings, catalogue)]
        found.said += [f"warning: {risk.setting}: {risk.message}" for risk in known]
    return found


def _about_the_place(settings: Settings) -> Iterator[str]:
    yield f"folder       {Path.cwd()}"
    taken = "in use, by this server if it is running, or by another program" if serving.is_taken(settings) else "free"
    yield f"port         {settings.server.port} is {taken}"
    yield f"links begin  {settings.public_url}"


def _about_keys(settings: Settings, catalogue: Catalogue | None, valid: Sequence[KeyRecord]) -> Iterator[str]:
    if not (settings.access.keys or settings.access.anonymous or valid):
        yield "warning: there is no key; `python -m adapter keys create NAME` makes one"
    for each in valid:
        wrong = () if catalogue is None else unknown_models(catalogue, each.allowance.models)
        yield from (f"warning: models of the key '{each.name}': {message}" for message in wrong)
    active = {key.name for key in valid}
    for table, names in settings.keys_named.items():
        if unknown := [name for name in names if name not in active | {*settings.access.known_keys}]:
            yield f"warning: {table} names keys that there are not: {', '.join(unknown)}"
