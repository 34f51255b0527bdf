"""Accepted work, counted beside the recorder that allows it."""

from decimal import Decimal

import pytest

from adapter.domain.spending import Spending
from adapter.domain.telemetry import NoUsage
from adapter.domain.usage import Cost, Currency
from adapter.errors import UpstreamQuota
from adapter.metrics.spending import CountedUsage
from tests.noted_metrics import NotedMetrics

SPENDING = Spending(
    owner="ada",
    key="k",
    model="toy-fox",
    provider="toy",
    kind="image",
    units=2,
    cost=Cost(Decimal("0.5"), Currency.USD),
)
UNPRICED = Spending(owner="f" * 64, key=None, model="toy-waves", provider="toy", kind="video", units=8)


class Refusing(NoUsage):
    """Allows nothing."""

    async def record(self, spending: Spending) -> None:
        raise UpstreamQuota(f"The budget of '{spending.key}' is used up.")


@pytest.fixture
def metrics() -> NotedMetrics:
    """What was counted."""
    return NotedMetrics()


async def test_units_and_cost_are_counted_without_the_owner(metrics: NotedMetrics) -> None:
    """An unknown cost is no 0: it is counted by itself."""
    usage = CountedUsage(NoUsage(), metrics, owners=False)
    await usage.record(SPENDING)
    usage.record_in(None, UNPRICED)

    assert metrics.told == [
        ("accepted_units", 2, {"provider": "toy", "model": "toy-fox", "owner": "", "kind": "image"}),
        ("accepted_cost", 0.5, {"provider": "toy", "model": "toy-fox", "owner": "", "currency": "USD"}),
        ("accepted_units", 8, {"provider": "toy", "model": "toy-waves", "owner": "", "kind": "video"}),
        ("accepted_unpriced", 1.0, {"provider": "toy", "model": "toy-waves", "owner": ""}),
    ]


async def test_owners_are_shown_if_the_operator_wants_it(metrics: NotedMetrics) -> None:
    """One without a name by a part of the digest of the key."""
    usage = CountedUsage(NoUsage(), metrics, owners=True)
    await usage.record(SPENDING)
    await usage.record(UNPRICED)

    assert {labels["owner"] for _, _, labels in metrics.told} == {"ada", "f" * 8}


async def test_what_is_not_allowed_is_not_counted(metrics: NotedMetrics) -> None:
    """The refusal reaches the caller."""
    with pytest.raises(UpstreamQuota, match="budget"):
        await CountedUsage(Refusing(), metrics, owners=False).record(SPENDING)

    assert metrics.told == []
