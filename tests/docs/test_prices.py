"""The page of prices: its examples are read, and its table has every amount of the catalogue."""

import re

import msgspec
import pytest

from adapter.domain.catalogue import Card
from adapter.domain.prices import ImagePrice, TextPrice, VideoPrice
from tests.support import ROOT, catalogue

PAGE = (ROOT / "docs" / "prices.md").read_text()
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_every_example_is_a_price(block: str) -> None:
    """As it stands there."""
    kinds = {"image": ImagePrice, "text": TextPrice, "video": VideoPrice}
    for kind, found in msgspec.toml.decode(block).items():
        for price in found["prices"]:
            assert list(msgspec.convert(price, kinds[kind]).rates())


@pytest.mark.parametrize("card", {model.card.name: model.card for model in catalogue().models}.values())
def test_the_table_has_every_amount(card: Card) -> None:
    """In the row of the model."""
    assert BLOCKS
    [row] = [line for line in PAGE.splitlines() if line.startswith("|") and f"`{card.name}`" in line]
    for price in card.prices:
        assert [rate for rate in price.rates() if f"{rate.cost.amount:f}" not in row] == []
