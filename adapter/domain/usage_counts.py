"""What was made and spent, in sums: by hour, key, owner, model and kind."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from operator import add
from typing import Final, Literal, get_args

import msgspec

from adapter.domain.finished_work import FinishedWork
from adapter.domain.usage import Cost, Currency

HOUR_SECONDS: Final = 3600
DAY_SECONDS: Final = 24 * HOUR_SECONDS
#: Amounts are counted in billionths: a token may cost less than a millionth of a dollar.
BILLIONTHS: Final = 9
#: Longest name that is stored.
LONGEST_NAME: Final = 128

#: What sums can be split by.
Dimension = Literal["key", "owner", "provider", "model", "kind", "size", "source"]
DIMENSIONS: Final[Sequence[Dimension]] = get_args(Dimension)


class UsageLabels(msgspec.Struct, frozen=True, kw_only=True):
    """What one sum is of. What is unknown is empty."""

    #: The beginning of the hour, in Unix seconds.
    hour: int
    #: The id of the key; empty: without a key.
    key: str
    owner: str
    provider: str
    #: The name that the client used.
    model: str
    #: `image` or `video`.
    kind: str
    #: `1024x1024`. Empty where nothing was made.
    size: str
    #: `image.generation` or `image.edit`; empty: a video.
    source: str


class UsageCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The sums."""

    #: Executions that ended, the failed ones included.
    requests: int = 0
    failed: int = 0
    images: int = 0
    videos: int = 0
    #: Of video.
    seconds: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    #: In billionths of a dollar, and of a credit.
    nano_dollars: int = 0
    nano_credits: int = 0
    #: Executions whose cost is unknown. They add nothing to the two sums before.
    unpriced: int = 0

    def __add__(self, other: "UsageCounts") -> "UsageCounts":
        sums = map(add, msgspec.structs.astuple(self), msgspec.structs.astuple(other))
        return UsageCounts(**dict(zip(self.__struct_fields__, sums, strict=True)))

    @property
    def dollars(self) -> Decimal:
        """The known cost in dollars."""
        return Decimal(self.nano_dollars).scaleb(-BILLIONTHS)

    @property
    def credits(self) -> Decimal:
        """The known cost in credits."""
        return Decimal(self.nano_credits).scaleb(-BILLIONTHS)


class UsageSum(msgspec.Struct, frozen=True, kw_only=True):
    """A sum over a time, split as it was asked for."""

    #: The beginning of its time, in Unix seconds.
    start: int
    labels: Mapping[Dimension, str]
    counts: UsageCounts


class UsageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which sums are wanted."""

    #: From the hour in which `since` lies to the one before `until`, in Unix seconds.
    since: int
    until: int
    #: The length of a sum's time: whole hours. None: one sum over all the time.
    step: int | None = None
    by: Sequence[Dimension] = ()
    #: Only of these values.
    only: Mapping[Dimension, Sequence[str]] = {}


def labels_of(work: FinishedWork) -> UsageLabels:
    """Return what an execution is counted as."""
    spending = work.spending
    return UsageLabels(
        hour=int(work.at // HOUR_SECONDS) * HOUR_SECONDS,
        key=(spending.key or "")[:LONGEST_NAME],
        owner=spending.owner[:LONGEST_NAME],
        provider=spending.provider[:LONGEST_NAME],
        model=spending.model[:LONGEST_NAME],
        kind=spending.kind,
        size=work.size,
        source=work.source,
    )


def counts_of(work: FinishedWork) -> UsageCounts:
    """Return what an execution adds to its sums."""
    kind = work.spending.kind
    return UsageCounts(
        requests=1,
        failed=0 if work.is_completed else 1,
        images=work.units if kind == "image" else 0,
        videos=1 if work.is_completed and kind == "video" else 0,
        seconds=work.units if kind == "video" else 0,
        input_tokens=work.input_tokens,
        output_tokens=work.output_tokens,
        nano_dollars=_nano(work.cost, Currency.USD),
        nano_credits=_nano(work.cost, Currency.CREDITS),
        unpriced=1 if work.cost is None else 0,
    )


def summed(works: Iterable[FinishedWork]) -> Mapping[UsageLabels, UsageCounts]:
    """Return the sums of executions."""
    sums: dict[UsageLabels, UsageCounts] = {}
    for work in works:
        labels = labels_of(work)
        sums[labels] = sums.get(labels, UsageCounts()) + counts_of(work)
    return sums


def _nano(cost: Cost | None, currency: Currency) -> int:
    if cost is None or cost.currency is not currency:
        return 0
    return int(cost.amount.scaleb(BILLIONTHS).to_integral_value())
