"""Calls of providers, measured: the outcome, and what a refusal does to them."""

import asyncio

import pytest

from adapter.domain.telemetry import Telemetry
from adapter.errors import ContentRefused, UpstreamCredential
from adapter.metrics.measured import Calls
from tests.fakes import FakeClock
from tests.noted_metrics import NotedMetrics


@pytest.fixture
def metrics() -> NotedMetrics:
    """What was measured."""
    return NotedMetrics()


async def fail(calls: Calls, error: BaseException) -> None:
    """Let a call end with an error."""
    with calls.measured("submit", "main"):
        raise error


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (UpstreamCredential("refused"), "upstream_auth"),
        (ContentRefused("refused", code="moderation_blocked"), "moderation_blocked"),
        (asyncio.CancelledError(), "cancelled"),
        (LookupError("a mistake"), "crashed"),
    ],
)
async def test_a_call_that_fails_is_counted_by_its_code(
    metrics: NotedMetrics, error: BaseException, outcome: str
) -> None:
    """The error goes on as it is."""
    with pytest.raises(type(error)) as raised:
        await fail(Calls("flow", Telemetry(metrics=metrics), FakeClock()), error)

    assert raised.value is error
    [(name, seconds, labels)] = metrics.told
    assert (name, seconds) == ("upstream_seconds", 0.0)
    assert labels == {"provider": "flow", "call": "submit", "credential": "main", "outcome": outcome}


async def test_the_time_of_a_call_is_measured(metrics: NotedMetrics) -> None:
    """In seconds of the clock."""
    clock = FakeClock()
    with Calls("flow", Telemetry(metrics=metrics), clock).measured("poll"):
        await clock.advance(2.5)

    assert [(seconds, labels["outcome"]) for _, seconds, labels in metrics.told] == [(2.5, "ok")]
