"""`adapter check`: looks at everything that a server with this configuration would need."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
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
    unseen: list[str] = []
    try:
        report = _report(config, unseen.append if as_json else click.echo, online=online)
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
    catalogue, wrong = _catalogue(config, settings)
    findings = asyncio.run(_checks(settings, catalogue))
    for line in (*findings.said, *map(_as_warning, findings.warnings)):
        say(line)
    wrong += findings.wrong
    if wrong or catalogue is None:
        raise WrongConfiguration("\n".join(wrong))
    create_app(settings, catalogue)
    now = SystemClock().now()
    ending = [f"models: {found.message(today(now))}" for found in retirements(settings, catalogue, now)]
    names = len(list(catalogue.models))
    for line in (*map(_as_warning, ending), f"models       {names} names, from {catalogue_file(config, settings)}"):
        say(line)
    if not names:
        raise WrongConfiguration(f"{config}: no provider is configured, so there is no model to ask for.")
    credentials = []
    if online and settings.sandbox.enabled:
        say("credentials  not tried: the sandbox is enabled")
    elif online:
        credentials = _try_credentials(settings, say)
    return CheckReport(warnings=[*findings.warnings, *ending], models=names, credentials=credentials)


def _as_warning(message: str) -> str:
    return f"warning: {message}"


def _try_credentials(settings: Settings, say: Callable[[str], object]) -> list[CheckedCredential]:
    found = [
        CheckedCredential(provider=provider, name=each.name, is_good=each.is_good, words=each.words)
        for provider, each in asyncio.run(credential_reports(settings))
    ]
    for each in found:
        say(f"credential   {'ok ' if each.is_good else 'BAD'} providers.{each.provider} {each.name}: {each.words}")
    return found


def _catalogue(config: Path, settings: Settings) -> tuple[Catalogue | None, list[str]]:
    """Return the catalogue, or what is wrong with it."""
    try:
        return load_catalogue(config, settings), []
    except WrongConfiguration as fault:
        return None, [fault.message]


class _Findings(msgspec.Struct):
    """What was found. A new configuration has several mistakes, so the first one ends nothing."""

    said: list[str] = []
    warnings: list[str] = []
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
        found.warnings += _about_keys(settings, catalogue, valid)
    if catalogue is not None and not found.wrong:
        known = [*risks(settings, await read_machine(settings)), *key_risks(settings, catalogue)]
        found.warnings += [f"{risk.setting}: {risk.message}" for risk in known]
    return found


def _about_the_place(settings: Settings) -> Iterator[str]:
    yield f"folder       {Path.cwd()}"
    taken = "in use, by this server if it is running, or by another program" if serving.is_taken(settings) else "free"
    yield f"port         {settings.server.port} is {taken}"
    yield f"links begin  {settings.public_url}"


def _about_keys(settings: Settings, catalogue: Catalogue | None, valid: Sequence[KeyRecord]) -> Iterator[str]:
    if not (settings.access.keys or settings.access.anonymous or valid):
        yield "there is no key; `adapter keys create NAME` makes one"
    for each in valid:
        wrong = () if catalogue is None else unknown_models(catalogue, each.allowance.models)
        yield from (f"models of the key '{each.name}': {message}" for message in wrong)
    active = {key.name for key in valid}
    for table, names in settings.keys_named.items():
        if unknown := [name for name in names if name not in active | {*settings.access.known_keys}]:
            yield f"{table} names keys that there are not: {', '.join(unknown)}"
