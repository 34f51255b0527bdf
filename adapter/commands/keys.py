"""`adapter keys`: makes and ends keys, and says what they may do."""

import sys
from pathlib import Path

import click
import msgspec

from adapter.access.keys import KeyRecord, SqlKeyStore
from adapter.access.quotas import SqlQuotas
from adapter.clock import SystemClock
from adapter.commands.database_use import use_database
from adapter.commands.key_options import (
    ShownKey,
    asked_allowance,
    key_lines,
    short_allowance,
    shown_key,
    with_allowance,
    written_state,
)
from adapter.commands.opening import open_settings
from adapter.commands.options import with_config, with_json
from adapter.commands.table import print_table
from adapter.commands.times import minute
from adapter.database.engine import Database
from adapter.domain.allowance import UNLIMITED, Allowance
from adapter.key_models import unknown_models
from adapter.settings import Settings, load_catalogue


@click.group()
def keys() -> None:
    """Make and end keys beside those of the configuration."""


@keys.command(name="create")
@with_config
@click.argument("name")
@click.option("--owner", help="Owner of its videos and files. Several keys may have one owner. [default: NAME]")
@with_allowance
@with_json
def create_key(config: Path, name: str, owner: str | None, *, as_json: bool, **asked: str | None) -> None:
    """Make a key and print it. It cannot be shown again."""
    settings, now = open_settings(config), SystemClock().now()
    if name in settings.access.named_keys:
        raise click.ClickException(f"[access.keys.{name}] of the configuration has that name already.")
    allowance = asked_allowance(UNLIMITED, asked, now)
    _warn_of_models(config, settings, allowance)
    key = use_database(settings, lambda it: SqlKeyStore(it).create(name, now=now, owner=owner, allowance=allowance))
    _print_key(name, key, as_json=as_json)


def _print_key(name: str, key: str, *, as_json: bool) -> None:
    """Print a new key. It is printed once, so it is said if that fails."""
    try:
        click.echo(msgspec.json.encode({"name": name, "key": key}) if as_json else key)
        sys.stdout.flush()
    except OSError as error:
        raise click.ClickException(
            f"The key '{name}' was made, and it cannot be printed: {error.strerror}. `adapter keys rotate {name}` makes"
            " another one in its place."
        ) from error


def _warn_of_models(config: Path, settings: Settings, allowance: Allowance) -> None:
    """Say which names of models lead to none."""
    if allowance.models:
        for message in unknown_models(load_catalogue(config, settings), allowance.models):
            click.echo(f"warning: {message}", err=True)


@keys.command(name="set")
@with_config
@click.argument("name")
@with_allowance
@with_json
def set_key(config: Path, name: str, *, as_json: bool, **asked: str | None) -> None:
    """Change what a key may do, from its next request on. What is not named stays."""
    settings, now = open_settings(config), SystemClock().now()

    async def change(database: Database) -> KeyRecord:
        store = SqlKeyStore(database)
        allowance = asked_allowance((await store.find(name)).allowance, asked, now)
        _warn_of_models(config, settings, allowance)
        await store.allow(name, allowance)
        return await store.find(name)

    key = use_database(settings, change)
    click.echo(msgspec.json.encode(shown_key(key, ())) if as_json else key_lines(key))


@keys.command(name="show")
@with_config
@click.argument("name")
@with_json
def show_key(config: Path, name: str, *, as_json: bool) -> None:
    """Print what a key may do and what it has taken of it, not the key. It may be one of the configuration's tables."""
    settings = open_settings(config)

    async def show(database: Database) -> bytes | str:
        key = _configured_key(settings, name) or await SqlKeyStore(database).find(name)
        states = (await SqlQuotas(database).limit_states({name: key.allowance}))[name]
        return msgspec.json.encode(shown_key(key, states)) if as_json else key_lines(key, states)

    click.echo(use_database(settings, show))


def _configured_key(settings: Settings, name: str) -> ShownKey | None:
    key = settings.access.named_keys.get(name)
    return None if key is None else ShownKey(name, None, None, key.owner or name, key.allowance)


@keys.command(name="rotate")
@with_config
@click.argument("name")
@click.option(
    "--keep-minutes", type=click.FloatRange(0, 10_080), default=0.0, help="Minutes for which the old key stays valid."
)
@with_json
def rotate_key(config: Path, name: str, keep_minutes: float, *, as_json: bool) -> None:
    """Replace a key and print the new one. Its videos and files stay."""
    settings, now, keep = open_settings(config), SystemClock().now(), keep_minutes * 60
    key = use_database(settings, lambda it: SqlKeyStore(it).rotate(name, now=now, keep_seconds=keep))
    _print_key(name, key, as_json=as_json)


@keys.command(name="list")
@with_config
@with_json
def list_keys(config: Path, *, as_json: bool) -> None:
    """List the names of the keys that were made, not the keys."""
    settings, now = open_settings(config), SystemClock().now()
    if as_json:
        click.echo(msgspec.json.encode(use_database(settings, _shown_keys)))
        return
    made = use_database(settings, lambda it: SqlKeyStore(it).all())
    if not made:
        click.echo("No key was made. `adapter keys create NAME` makes one; those of the configuration are not listed.")
        return
    rows = [(key.name, minute(key.created_at), written_state(key, now), short_allowance(key.allowance)) for key in made]
    print_table(("key", "created (UTC)", "state", "what it may do"), rows)


async def _shown_keys(database: Database) -> list[ShownKey]:
    made = await SqlKeyStore(database).all()
    states = await SqlQuotas(database).limit_states({key.name: key.allowance for key in made})
    return [shown_key(key, states[key.name]) for key in made]


@keys.command(name="revoke")
@with_config
@click.argument("name")
def revoke_key(config: Path, name: str) -> None:
    """End a key. The next request with it is refused."""
    settings = open_settings(config)
    use_database(settings, lambda it: SqlKeyStore(it).revoke(name, now=SystemClock().now()))
    click.echo(f"'{name}' opens nothing any more.")
