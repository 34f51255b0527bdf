"""Pictures of keys with limits: taken before they are made, settled when it is known what they cost."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import msgspec
import pytest
from structlog.testing import capture_logs

from adapter.domain.allowance import Allowance, Charge, Remaining, Taken
from adapter.domain.executions import RequestIdentity
from adapter.domain.media import Image
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import Work
from adapter.domain.prices import Quote
from adapter.domain.spending import Spending
from adapter.domain.usage import Cost, Currency
from adapter.errors import AdapterError, ContentRefused, LimitReached, StorageFailed, UpstreamBroken
from tests.fakes import made_image
from tests.generation.conftest import ONE_PICTURE, Studio, identity

USD = Currency.USD
ORDER = msgspec.structs.replace(ONE_PICTURE, n=2, quotes=(Quote(date(1970, 1, 1), USD, Decimal("0.04")),))
ALLOWANCE = Allowance(images_per_day=5)


class Counts:
    """Counts what is taken and given (the port `Quotas`)."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.given: list[Charge] = []
        self.refuses = self.is_away = False

    async def take(self, spending: Spending, allowance: Allowance) -> Charge | None:
        if self.refuses:
            raise LimitReached("used up")
        assert allowance is ALLOWANCE
        self.taken.append(spending.units)
        return Charge("ada", (Taken("USD/day", 0, 80_000_000), Taken("images", 0, spending.units)))

    def take_in(self, transaction: object, spending: Spending, allowance: Allowance) -> Charge | None:
        raise AssertionError(f"no job: {transaction} {spending} {allowance}")

    async def look(self, key: str, allowance: Allowance) -> None:
        raise AssertionError(f"no answer: {key} {allowance}")

    def remaining(self, key: str, allowance: Allowance) -> Sequence[Remaining]:
        raise AssertionError(f"no answer: {key} {allowance}")

    async def give(self, charge: Charge) -> None:
        if self.is_away:
            raise StorageFailed("away")
        self.given.append(charge)

    def give_in(self, transaction: object, charges: Sequence[Charge]) -> None:
        raise AssertionError(f"no job: {transaction} {charges}")


class Maker:
    """Makes pictures that cost a little less than was expected, or fails."""

    def __init__(self, fault: AdapterError | None = None) -> None:
        self._fault = fault

    async def make_images(self, order: ImageOrder, work: Work) -> Sequence[Image]:
        assert work.owner
        if self._fault is not None:
            raise self._fault
        return [made_image() for _ in range(order.n)]


def limited(content: str = "a fox", count: int = 0) -> RequestIdentity:
    """Return a request with a key that has limits."""
    return msgspec.structs.replace(identity(content, count=count), key="ada", allowance=ALLOWANCE)


async def test_a_request_takes_what_it_needs_once(studio: Studio) -> None:
    """Each picture counts; one that joins an earlier request takes nothing."""
    counts = Counts()
    pictures = studio.pictures(Maker(), quotas=counts)
    first = await studio.open(pictures, limited(), ORDER)
    await first.batch()
    first.close(delivered=False)
    again = await studio.open(pictures, limited(count=1), ORDER)
    await again.batch()
    again.close(delivered=True)

    assert counts.taken == [2]
    assert counts.given == [Charge("ada", ())]


async def test_what_is_refused_by_a_limit_is_refused_before_an_answer_begins(studio: Studio) -> None:
    """And made once the limit is reset."""
    counts = Counts()
    pictures = studio.pictures(Maker(), quotas=counts)
    counts.refuses = True
    with pytest.raises(LimitReached):
        await studio.open(pictures, limited(), ORDER)
    counts.refuses = False
    made = await studio.open(pictures, limited(count=1), ORDER)

    assert len((await made.batch()).images) == 2
    made.close(delivered=True)


@pytest.mark.parametrize(
    ("fault", "given"),
    [
        (ContentRefused("no"), [Charge("ada", (Taken("USD/day", 0, 80_000_000), Taken("images", 0, 2)))]),
        (UpstreamBroken("cut"), []),
    ],
)
async def test_pictures_that_failed_are_given_back_unless_they_may_be_paid_for(
    studio: Studio, fault: AdapterError, given: list[Charge]
) -> None:
    """A cut answer may be."""
    counts = Counts()
    pictures = studio.pictures(Maker(fault), quotas=counts)
    with pytest.raises(type(fault)):
        await (await studio.open(pictures, limited(), ORDER)).batch()

    assert counts.given == given


async def test_pictures_are_delivered_although_nothing_can_be_given_back(studio: Studio) -> None:
    """The database is away. The log says so."""
    counts = Counts()
    counts.is_away = True
    with capture_logs() as logs:
        handle = await studio.open(studio.pictures(Maker(), quotas=counts), limited(), ORDER)
        made = await handle.batch()
        handle.close(delivered=True)

    assert [image.cost for image in made.images] == [Cost(Decimal("0.04"), USD)] * 2
    assert "access.not_given_back" in [line["event"] for line in logs]
