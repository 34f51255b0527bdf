"""Counts what is accepted: units, and cost by the price list."""

from collections.abc import Sequence

from adapter.domain.finished_work import FinishedWork
from adapter.domain.ports import Metrics, UsageRecorder
from adapter.domain.spending import Spending

#: An owner without a name is the SHA-256 of a key, in hex. So much of it is shown.
DIGEST_LENGTH = 64
SHOWN_LENGTH = 8


class CountedUsage:
    """Counts what another recorder allows (the port `UsageRecorder`).

    A job whose transaction fails after it was counted stays counted. That is rare, and a metric is no bill.
    """

    def __init__(self, inner: UsageRecorder, metrics: Metrics, *, owners: bool) -> None:
        """Take the recorder, where it is counted, and whether by owner."""
        self._inner = inner
        self._metrics = metrics
        self._owners = owners

    async def record(self, spending: Spending) -> None:
        """Record pictures (the port of that name)."""
        await self._inner.record(spending)
        self._count(spending)

    def record_in(self, transaction: object, spending: Spending) -> None:
        """Record a job (the port of that name)."""
        self._inner.record_in(transaction, spending)
        self._count(spending)

    async def finished(self, work: FinishedWork) -> None:
        """Pass it on (the port of that name). A text is counted here: what it costs is known at its end only."""
        await self._inner.finished(work)
        if work.spending.kind == "text":
            self._count(work.spending)

    def finished_in(self, transaction: object, works: Sequence[FinishedWork]) -> None:
        """Pass it on (the port of that name)."""
        self._inner.finished_in(transaction, works)

    def _count(self, spending: Spending) -> None:
        owner = shown_owner(spending.owner) if self._owners else ""
        labels = {"provider": spending.provider, "model": spending.model, "owner": owner}
        self._metrics.count("accepted_units", {**labels, "kind": spending.kind}, spending.units)
        if spending.cost is None:
            self._metrics.count("accepted_unpriced", labels)
        else:
            currency = spending.cost.currency.value
            self._metrics.count("accepted_cost", {**labels, "currency": currency}, float(spending.cost.amount))


def shown_owner(owner: str) -> str:
    """Return how an owner is called in metrics."""
    return owner if len(owner) < DIGEST_LENGTH else owner[:SHOWN_LENGTH]
