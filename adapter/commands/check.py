"""`adapter check`: looks at everything that a server with this configuration would need."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
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
from adapter.commands.options import with_config, with_json
from adapter.database.address import without_password
from adapter.domain.catalogue import Catalogue
from adapter.errors import AdapterError, WrongConfiguration, reason_of
from adapter.jobs import spool
from adapter.key_models import key_risks, unknown_models
from adapter.machine import read_machine
from adapter.providers.probe import CredentialReport
from adapter.retirements import retirements, today
from adapter.risks import risks
from adapter.settings import Settings, catalogue_file, load_catalogue
from adapter.wiring import build_media_store, settings_secret


class CheckedCredential(CredentialReport, frozen=True, kw_only=True):
    """The same, with its provider."""

    provider: str


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `check --json` prints."""

    #: What is wrong. A server does not start with it.
    mistakes: list[str] = []
    warnings: list[str] = []
    #: How many names of models there are.
    models: int = 0
    #: With `--online`.
    credentials: list[CheckedCredential] = []


@click.command()
@with_config
@click.option("--online", is_flag=True, help="Also make one free call to Google with each credential.")
@with_json
def check(config: Path, *, online: bool, as_json: bool) -> None:
    """Check the configuration: secrets, database, media store and spool.

    Ends with status 1 if something is wrong.
    """
    said: list[str] = []
    try:
        report = _report(config, said.append if as_json else click.echo, online=online)
    except AdapterError as fault:
        if not as_json:
            raise
        report = CheckReport(mistakes=fault.message.splitlines())
    if as_json:
        click.echo(msgspec.json.encode(report))
    if report.mistakes or not all(each.is_good for each in report.credentials):
        raise click.exceptions.Exit(1)


def _report(config: Path, say: Callable[[str], object], *, online: bool) -> CheckReport:
    """Check everything, and say each thing as soon as it is known.

    Raises:
        WrongConfiguration: something is wrong.
    """
    settings = open_settings(config)
    catalogue = load_catalogue(config, settings)
    _check_references(settings)
    create_app(settings, catalogue)
    lines, warnings = asyncio.run(_checks(settings, catalogue))
    now = SystemClock().now()
    warnings += [f"models: {found.message(today(now))}" for found in retirements(settings, catalogue, now)]
    names = len(list(catalogue.models))
    for line in (*lines, *(f"warning: {warning}" for warning in warnings)):
        say(line)
    say(f"models       {names} names, from {catalogue_file(config, settings)}")
    if not names:
        raise WrongConfiguration(f"{config}: no provider is configured, so there is no model to ask for.")
    credentials = []
    if online and settings.sandbox.enabled:
        say("credentials  not tried: the sandbox is enabled")
    elif online:
        credentials = _try_credentials(settings, say)
    return CheckReport(warnings=warnings, models=names, credentials=credentials)


def _try_credentials(settings: Settings, say: Callable[[str], object]) -> list[CheckedCredential]:
    found = [
        CheckedCredential(provider=provider, name=each.name, is_good=each.is_good, words=each.words)
        for provider, each in asyncio.run(credential_reports(settings))
    ]
    for each in found:
        say(f"credential   {'ok ' if each.is_good else 'BAD'} providers.{each.provider} {each.name}: {each.words}")
    return found


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


async def _checks(settings: Settings, catalogue: Catalogue) -> tuple[list[str], list[str]]:
    """Read every secret, open the database and the media store. Return what was found, never a secret, and warnings."""
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
    return said, [*_of_keys(settings, catalogue, made), *await _of_settings(settings, catalogue)]


def _of_keys(settings: Settings, catalogue: Catalogue, made: Sequence[KeyRecord]) -> Iterator[str]:
    """Yield warnings of keys."""
    valid = [key for key in made if key.revoked_at is None]
    if not (settings.access.keys or settings.access.anonymous or valid):
        yield "there is no key; `adapter keys create NAME` makes one"
    for each in valid:
        for message in unknown_models(catalogue, each.allowance.models):
            yield f"models of the key '{each.name}': {message}"
    active = {key.name for key in valid}
    for table, names in settings.keys_named.items():
        if unknown := [name for name in names if name not in active | {*settings.access.known_keys}]:
            yield f"{table} names keys that there are not: {', '.join(unknown)}"


async def _of_settings(settings: Settings, catalogue: Catalogue) -> list[str]:
    found = [*risks(settings, await read_machine(settings)), *key_risks(settings, catalogue)]
    return [f"{risk.setting}: {risk.message}" for risk in found]
