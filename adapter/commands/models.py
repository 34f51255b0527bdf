"""`adapter models`: what the configuration offers."""

from pathlib import Path

import click
import msgspec

from adapter.clock import SystemClock
from adapter.commands.opening import open_settings
from adapter.commands.options import with_config, with_json
from adapter.commands.table import print_table
from adapter.domain.catalogue import Card
from adapter.domain.prices import in_force
from adapter.openai_api.write.models import model_list
from adapter.settings import load_catalogue


@click.command()
@with_config
@with_json
def models(config: Path, *, as_json: bool) -> None:
    """List the models that this configuration offers, with what they cost today.

    The JSON is that of GET /v1/models.
    """
    settings, now = open_settings(config), SystemClock().now()
    offered = load_catalogue(config, settings).models
    if as_json:
        click.echo(msgspec.json.encode(model_list(offered, now)))
        return
    rows = [(each.name, each.card.kind, each.card.provider, _told_price(each.card, now)) for each in offered]
    print_table(("model", "kind", "provider", "price"), rows)


def _told_price(card: Card, now: float) -> str:
    price = in_force(card.prices, now)
    return "price unknown" if price is None else ", ".join(map(str, price.rates()))
