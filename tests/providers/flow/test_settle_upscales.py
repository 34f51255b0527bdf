"""Flow's proof for upscales and extensions: unchanged credits prove nothing of what may be free."""

from collections.abc import Collection
from decimal import Decimal

import msgspec
import pytest

from adapter.domain.job import Ambiguity, BalanceReading, Failure, JobState
from adapter.domain.orders import VideoInput
from adapter.domain.ports import NotExecuted, Unproven
from adapter.domain.usage import Cost, Currency
from adapter.errors import UpstreamSilent
from adapter.providers.flow.settle import settle
from tests.fakes import video_job, video_order

LOST = Failure.of(UpstreamSilent("no answer"))


async def alone(*, refund_seconds: float) -> Collection[str]:
    """Say that the account has no other job."""
    assert refund_seconds > 0
    return ()


@pytest.mark.parametrize(
    ("kind", "cost", "is_proven"),
    [
        (VideoInput.UPSCALE, Cost(Decimal(50), Currency.CREDITS), True),
        (VideoInput.UPSCALE, Cost(Decimal(0), Currency.CREDITS), False),
        (VideoInput.UPSCALE, None, False),
        (VideoInput.EXTEND, None, False),
        (VideoInput.EXTEND, Cost(Decimal(20), Currency.CREDITS), True),
        (VideoInput.TEXT, None, True),
    ],
)
async def test_what_may_be_free_is_not_sent_again(kind: VideoInput, cost: Cost | None, *, is_proven: bool) -> None:
    """Of the same readings: nothing was charged, and only for what costs something that means that nothing was done."""
    job = msgspec.structs.replace(
        video_job(order=msgspec.structs.replace(video_order(), input=kind)),
        state=JobState.AMBIGUOUS,
        credits=680,
        cost=cost,
        ambiguity=Ambiguity(failure=LOST, sender_saw_end=True, at=1000.0, readings=(BalanceReading(680, 1060.0),)),
    )
    found = await settle(job, BalanceReading(680, 1120.0), alone, 60.0)

    assert isinstance(found, NotExecuted if is_proven else Unproven)
    assert is_proven or "shows no charge, but such a video may be free" in found.words
