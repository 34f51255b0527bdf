"""The commands that work on a configuration. `entry.py` has the table of all commands, and loads these by it."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from adapter import serving, shipped, usage_report
from adapter.access.keys import KeyRecord, SqlKeyStore
from adapter.access.quotas import SqlQuotas
from adapter.accounts import lines, summaries, switch
from adapter.app import create_app
from adapter.clock import SystemClock
from adapter.config_option import with_config
from adapter.config_reference import config_reference
from adapter.config_schema import config_schema
from adapter.control import ReloadCommand, ask_all
from adapter.database.address import without_password
from adapter.database.engine import Database
from adapter.domain.allowance import UNLIMITED, Allowance
from adapter.domain.catalogue import Card, Listing
from adapter.domain.image_job import ImageJob
from adapter.domain.job import Job, JobState, VideoJob
from adapter.domain.job_kinds import IMAGE
from adapter.domain.prices import in_force
from adapter.errors import AdapterError, WrongConfiguration, reason_of
from adapter.generation.responses import cancel_image
from adapter.jobs import spool
from adapter.jobs.store import SqlJobStore
from adapter.key_options import ShownKey, asked_allowance, key_lines, short_allowance, shown_key, with_allowance
from adapter.listed_job import listed_job
from adapter.logs import configure_logs
from adapter.machine import read_machine
from adapter.media.leftovers import Leftovers, MediaReport
from adapter.online_check import credential_reports
from adapter.openai_api.write.models import model_list
from adapter.records.registry import SqlFileRegistry
from adapter.records.usage import SqlUsageStore
from adapter.records.usage_recorder import CountedWork
from adapter.reload_plan import Configuration
from adapter.reloading import reload_words
from adapter.retirements import retirements, today
from adapter.risks import risks
from adapter.sandbox.rules import SandboxRules
from adapter.settings import Settings, catalogue_file, load_catalogue, load_settings
from adapter.wiring import build_database, build_media_store, build_retention, settings_secret
from adapter.working_folder import working_folder

_T = TypeVar("_T")

STOP = (signal.SIGINT, signal.SIGTERM)
DAY = click.DateTime(["%Y-%m-%d"])

_with_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def adapter() -> None:
    """An OpenAI-compatible API in front of Google's media generators."""
    configure_logs()


@adapter.command()
@with_config
@click.option("--host", help="Address to listen on, instead of server.host.")
@click.option("--port", type=click.IntRange(0, 65_535), help="TCP port, instead of server.port.")
def serve(config: Path, host: str | None, port: int | None) -> None:
    """Serve the API."""
    _settings(config)

    def read() -> Configuration:
        settings = load_settings(config, os.environ)
        place = msgspec.structs.replace(
            settings.server,
            host=host or settings.server.host,
            port=settings.server.port if port is None else port,
        )
        settings = msgspec.structs.replace(settings, server=place)
        return Configuration(settings, load_catalogue(config, settings))

    serving.serve(read)


@adapter.command()
@with_config
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@_with_json
def reload(config: Path, *, dry_run: bool, as_json: bool) -> None:
    """Let the running servers of this machine read their configuration again. A wrong one changes nothing."""
    folder = _settings(config).server.control
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


@adapter.command()
@with_config
@click.option("--online", is_flag=True, help="Also make one free call to Google with each credential.")
def check(config: Path, *, online: bool) -> None:
    """Check the configuration: secrets, database, media store and spool."""
    settings = _settings(config)
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
    made = await _with_database(settings, lambda it: SqlKeyStore(it).all())
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


@adapter.command(name="config")
@click.argument("name", type=click.Choice(["adapter", "models", "sandbox", "schema", "reference"]), default="adapter")
def print_config(name: str) -> None:
    """Print a file that comes with the program, as the start of your own.

    "adapter" has every key with its default, "models" is the catalogue, "sandbox" is what --sandbox uses. "schema" is
    the JSON schema of "adapter", with which editors of TOML know every key. "reference" is a page of all settings.
    """
    if name == "schema":
        click.echo(config_schema())
        return
    if name == "reference":
        click.echo(config_reference(), nl=False)
        return
    click.echo((shipped.FOLDER / f"{name}.toml").read_text(encoding="utf-8"), nl=False)


@adapter.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8001, show_default=True, help="TCP port.")
@click.option("--state", default="", help="Folder that keeps jobs and credits. Without it a restart loses them.")
def sandbox(host: str, port: int, state: str) -> None:
    """Serve only the emulator of Gemini and Flow."""
    rules = SandboxRules(host=host, port=port, state=state)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP)
    with serving.emulator(rules) as base_url:
        click.echo(f"Gemini and Flow, emulated, at {base_url}")
        click.echo(f"Gemini key: {rules.api_keys[0]}   Flow token: {rules.accounts[0].token}")
        signal.sigwait(STOP)


@adapter.command()
@with_config
@_with_json
def models(config: Path, *, as_json: bool) -> None:
    """List the models that this configuration offers, with what they cost today.

    The JSON is that of GET /v1/models.
    """
    settings, now = _settings(config), SystemClock().now()
    offered = load_catalogue(config, settings).models
    if as_json:
        click.echo(msgspec.json.encode(model_list(offered, now)))
        return
    for model in offered:
        click.echo(f"{model.name:44} {model.card.kind}  {model.card.provider:6}  {_told_price(model.card, now)}")


def _told_price(card: Card, now: float) -> str:
    price = in_force(card.prices, now)
    return "price unknown" if price is None else ", ".join(map(str, price.rates()))


@adapter.group()
def jobs() -> None:
    """Look at jobs, and cancel them: videos, and pictures in the background."""


@jobs.command(name="list")
@with_config
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many, newest first.")
@_with_json
def list_jobs(config: Path, limit: int, *, as_json: bool) -> None:
    """List the newest jobs."""
    settings = _settings(config)
    found = asyncio.run(_with_database(settings, lambda it: _recent(it, limit)))
    if as_json:
        click.echo(msgspec.json.encode([listed_job(job, fate) for job, fate in found]))
        return
    if not found:
        click.echo(f"No jobs in {without_password(settings.storage.database)}.")
    for job, fate in found:
        notes = "".join(f"  {note}" for note in (job.failure.code if job.failure else None, fate) if note)
        progress = f"{job.progress:3} %" if isinstance(job, VideoJob) else " " * 5
        click.echo(f"{_day(job.created_at)}  {job.id}  {job.state:10} {progress}  {job.order.model}{notes}")


async def _recent(database: Database, limit: int) -> list[tuple[VideoJob | ImageJob, str | None]]:
    videos, images = SqlJobStore(database), SqlJobStore(database, IMAGE)
    found: list[VideoJob | ImageJob] = [*await videos.recent(limit), *await images.recent(limit)]
    newest = sorted(found, key=lambda job: job.created_at, reverse=True)[:limit]
    fates = await videos.unwanted([job.id for job in newest])
    return [(job, fates.get(job.id)) for job in newest]


@jobs.command(name="show")
@with_config
@click.argument("job_id")
def show_job(config: Path, job_id: str) -> None:
    """Print everything that is stored about a job."""
    settings = _settings(config)
    job, fate = asyncio.run(_with_database(settings, lambda it: _job(SqlJobStore(it), job_id)))
    if job is None:
        raise click.ClickException(f"There is no job '{job_id}'.")
    click.echo(msgspec.json.format(msgspec.json.encode(job)).decode())
    if fate is not None:
        click.echo(f"This job was {fate}.", err=True)


async def _job(store: SqlJobStore, job_id: str) -> tuple[Job | None, str | None]:
    return await _any_job(store, job_id), (await store.unwanted([job_id])).get(job_id)


async def _any_job(store: SqlJobStore, job_id: str) -> Job | None:
    """Return a job of any kind."""
    return next(iter(await store.get_many([job_id])), None)


@jobs.command(name="cancel")
@with_config
@click.argument("job_id")
def cancel_job(config: Path, job_id: str) -> None:
    """Cancel a job. A running server sees it at the next tick; a picture ends at once."""
    settings = _settings(config)
    job = asyncio.run(_with_database(settings, lambda it: _cancelled(it, job_id)))
    if job is None:
        raise click.ClickException(f"There is no job '{job_id}' that is still going on.")
    match job.state:
        case JobState.ACCEPTED:
            click.echo("It is cancelled. Nothing was sent, so nothing is charged.")
        case JobState.SUBMITTING | JobState.AMBIGUOUS if isinstance(job, VideoJob):
            click.echo("It is cancelled. It is being sent: if Google takes it, it is paid for and not downloaded.")
        case JobState.SUBMITTING:
            click.echo("It is cancelled. It is being made: it is paid for, and not kept.")
        case _:
            click.echo(
                "It is cancelled. Google has taken it: it is paid for, and not downloaded unless that has begun."
            )


async def _cancelled(database: Database, job_id: str) -> Job | None:
    """Cancel a job and return it as it was, or None if there was no live one."""
    store, clock = SqlJobStore(database), SystemClock()
    job = await _any_job(store, job_id)
    if isinstance(job, ImageJob):
        cancelled = await cancel_image(SqlJobStore(database, IMAGE, CountedWork()), job_id, clock)
        return None if cancelled is None else cancelled[0]
    return await _any_job(store, job_id) if await store.cancel(job_id, now=clock.now()) else None


@adapter.command()
@with_config
@click.option("--by", default="key,model", show_default=True, help="What a line is of: day, hour, key, owner, model …")
@click.option("--since", type=DAY, metavar="DAY", help="First day, such as 2026-11-01. [default: 30 days]")
@click.option("--until", type=DAY, metavar="DAY", help="Last day, in UTC as the first. [default: today]")
@_with_json
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
def usage(  # noqa: PLR0913 - each is an option
    config: Path, by: str, since: datetime | None, until: datetime | None, *, as_json: bool, as_csv: bool
) -> None:
    """Show what was made and spent, by key, model and day.

    A running server writes pictures every two seconds. What a server made before it counted is not in it.
    """
    settings = _settings(config)
    try:
        columns = usage_report.read_columns(by)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--by") from error
    days = (each and each.date() for each in (since, until))
    first, last = usage_report.usual_days(SystemClock().now(), *days)
    query = usage_report.query_of(first, last, columns)
    sums = asyncio.run(_with_database(settings, lambda it: SqlUsageStore(it).sums(query)))
    report = usage_report.UsageReport(since=first, until=last, by=columns, sums=sums)
    write = usage_report.as_json if as_json else usage_report.as_csv if as_csv else usage_report.as_table
    click.echo(write(report), nl=as_json)


@adapter.group()
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
    settings = _settings(config)
    report = asyncio.run(_with_database(settings, lambda it: _check_media(settings, it, delete=delete)))
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


class ListingGroup(click.Group):
    """A group that lists where no command is said: `adapter accounts --json` is `adapter accounts list --json`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command `list` in front of its options."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@adapter.group(cls=ListingGroup)
def accounts() -> None:
    """Look at the accounts and keys at Google, and give them work or none.

    Without a command they are listed.
    """


@accounts.command(name="list")
@with_config
@_with_json
def list_accounts(config: Path, *, as_json: bool) -> None:
    """List accounts and keys, and how they stand in the servers that run.

    Credits, tier, calls under way, the last error, and for how long an account rests after a refusal.
    """
    settings, now = _settings(config), SystemClock().now()
    found = asyncio.run(_with_database(settings, lambda it: summaries(settings, it, now=now)))
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for line in lines(found, now=now):
        click.echo(line)


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
    settings, now = _settings(config), SystemClock().now()
    click.echo(asyncio.run(_with_database(settings, lambda it: switch(settings, it, name, is_on=is_on, now=now))))


@adapter.group()
def keys() -> None:
    """Make and end keys beside those of the configuration."""


@keys.command(name="create")
@with_config
@click.argument("name")
@click.option("--owner", help="Owner of its videos and files. Several keys may have one owner. [default: NAME]")
@with_allowance
def create_key(config: Path, name: str, owner: str | None, **asked: str | None) -> None:
    """Make a key and print it. It cannot be shown again."""
    settings, now = _settings(config), SystemClock().now()
    if name in settings.access.named_keys:
        raise click.ClickException(f"[access.keys.{name}] of the configuration has that name already.")
    allowance = asked_allowance(UNLIMITED, asked, now)
    _warn_of_models(config, settings, allowance)
    click.echo(
        asyncio.run(
            _with_database(settings, lambda it: SqlKeyStore(it).create(name, now=now, owner=owner, allowance=allowance))
        )
    )


def _warn_of_models(config: Path, settings: Settings, allowance: Allowance) -> None:
    """Say which names of models lead to none."""
    found = load_catalogue(config, settings).listed(Listing.ALL) if allowance.models else ()
    for pattern in allowance.models:
        one = Allowance(models=(pattern,))
        if not any(one.allows_model(model.name, model.card.name) for model in found):
            click.echo(f"warning: there is no model '{pattern}' here", err=True)


@keys.command(name="set")
@with_config
@click.argument("name")
@with_allowance
def set_key(config: Path, name: str, **asked: str | None) -> None:
    """Change what a key may do, from its next request on. What is not named stays."""
    settings, now = _settings(config), SystemClock().now()

    async def change(database: Database) -> KeyRecord:
        store = SqlKeyStore(database)
        allowance = asked_allowance((await store.find(name)).allowance, asked, now)
        _warn_of_models(config, settings, allowance)
        await store.allow(name, allowance)
        return await store.find(name)

    click.echo(key_lines(asyncio.run(_with_database(settings, change))))


@keys.command(name="show")
@with_config
@click.argument("name")
@_with_json
def show_key(config: Path, name: str, *, as_json: bool) -> None:
    """Print what a key may do and what it has taken of it, not the key. It may be one of the configuration's tables."""
    settings = _settings(config)

    async def show(database: Database) -> bytes | str:
        key = _configured_key(settings, name) or await SqlKeyStore(database).find(name)
        states = (await SqlQuotas(database).limit_states({name: key.allowance}))[name]
        return msgspec.json.encode(shown_key(key, states)) if as_json else key_lines(key, states)

    click.echo(asyncio.run(_with_database(settings, show)))


def _configured_key(settings: Settings, name: str) -> ShownKey | None:
    key = settings.access.named_keys.get(name)
    return None if key is None else ShownKey(name, None, None, key.owner or name, key.allowance)


@keys.command(name="rotate")
@with_config
@click.argument("name")
@click.option(
    "--keep-minutes", type=click.FloatRange(0, 10_080), default=0.0, help="Minutes for which the old key stays valid."
)
def rotate_key(config: Path, name: str, keep_minutes: float) -> None:
    """Replace a key and print the new one. Its videos and files stay."""
    settings, now, keep = _settings(config), SystemClock().now(), keep_minutes * 60
    key = asyncio.run(_with_database(settings, lambda it: SqlKeyStore(it).rotate(name, now=now, keep_seconds=keep)))
    click.echo(key)


@keys.command(name="list")
@with_config
@_with_json
def list_keys(config: Path, *, as_json: bool) -> None:
    """List the names of the keys that were made, not the keys."""
    settings = _settings(config)
    if as_json:
        click.echo(msgspec.json.encode(asyncio.run(_with_database(settings, _shown_keys))))
        return
    for key in asyncio.run(_with_database(settings, lambda it: SqlKeyStore(it).all())):
        state = "active" if key.revoked_at is None else f"revoked {_day(key.revoked_at)}"
        line = f"{key.name:32} created {_day(key.created_at)}  {state}  {short_allowance(key.allowance)}"
        click.echo(line.rstrip())


async def _shown_keys(database: Database) -> list[ShownKey]:
    made = await SqlKeyStore(database).all()
    states = await SqlQuotas(database).limit_states({key.name: key.allowance for key in made})
    return [shown_key(key, states[key.name]) for key in made]


@keys.command(name="revoke")
@with_config
@click.argument("name")
def revoke_key(config: Path, name: str) -> None:
    """End a key. The next request with it is refused."""
    settings = _settings(config)
    asyncio.run(_with_database(settings, lambda it: SqlKeyStore(it).revoke(name, now=SystemClock().now())))
    click.echo(f"'{name}' opens nothing any more.")


def _settings(config: Path) -> Settings:
    """Read the configuration, and go to the folder in which its relative paths begin."""
    settings = load_settings(config, os.environ)
    folder = working_folder(config, settings, Path.cwd())
    try:
        os.chdir(folder)
    except OSError as error:
        raise WrongConfiguration(f"folder: {folder} cannot be entered: {error.strerror}.") from error
    return settings


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


async def _with_database(settings: Settings, use: Callable[[Database], Awaitable[_T]]) -> _T:
    """Open the database for one use."""
    database = await build_database(settings)
    try:
        return await use(database)
    finally:
        await database.dispose()
