"""The choice between credentials: by load, by how they stand, and on to the next one after a refusal."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import msgspec
import pytest
import structlog

from adapter.domain.credentials import CredentialName, CredentialState, Rest
from adapter.errors import (
    AdapterError,
    InvalidRequest,
    UpstreamBusy,
    UpstreamCredential,
    UpstreamLocation,
    UpstreamQuota,
    UpstreamSilent,
    UpstreamUnreachable,
)
from adapter.providers.credential_pool import KNOWN_SECONDS, CredentialPool
from adapter.tasks import all_of
from tests.fakes import FakeClock, let_others_run


class Card(msgspec.Struct, frozen=True):
    """A credential."""

    name: str
    concurrency: int = 64
    enabled: bool = True


class Counts:
    """Counters by name and credential (the port `Metrics`)."""

    def __init__(self) -> None:
        self.counted: Counter[tuple[str, str]] = Counter()

    def count(self, name: str, labels: Mapping[str, str], amount: float = 1.0) -> None:
        self.counted[name, labels["credential"]] += round(amount)

    def observe(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        raise NotImplementedError


class Google:
    """Answers at once: with the fault of a credential, or with its name. It counts the calls."""

    def __init__(self, faults: Mapping[str, AdapterError] | None = None) -> None:
        self.faults = dict(faults or {})
        self.calls: Counter[str] = Counter()

    async def __call__(self, card: Card) -> str:
        self.calls[card.name] += 1
        await asyncio.sleep(0)
        if card.name in self.faults:
            raise self.faults[card.name].copy()
        return card.name


def pool(*names: str, clock: FakeClock | None = None, metrics: Counts | None = None) -> CredentialPool[Card]:
    """Return a pool of credentials with these names."""
    return CredentialPool("card", "shop", [Card(name) for name in names], clock or FakeClock(), metrics)


async def test_work_is_spread_evenly() -> None:
    """By the calls under way, and in turn where these are equal."""
    google, cards = Google(), pool("ada", "bob")

    await all_of([cards.run("m", google) for _ in range(4)])

    assert google.calls == {"ada": 2, "bob": 2}


async def test_the_credential_with_the_most_free_places_is_taken() -> None:
    """One with twice the limit carries twice as much."""
    cards = CredentialPool("card", "shop", [Card("small", 2), Card("large", 4)], FakeClock())
    google = Google()
    assert {await cards.run("m", google), await cards.run("m", google)} == {"small", "large"}
    taken: Counter[str] = Counter()
    end = asyncio.Event()

    async def hold(card: Card) -> None:
        taken[card.name] += 1
        await end.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(9):
            group.create_task(cards.run("m", hold))
        await let_others_run()
        full = dict(taken)
        end.set()

    assert full == {"small": 2, "large": 4}
    assert taken.total() == 9


async def test_a_refused_request_goes_on_with_the_next_credential() -> None:
    """Within the same answer; the sick one is not asked again while it rests."""
    google, cards = Google({"ada": UpstreamCredential("no")}), pool("ada", "bob")

    assert [await cards.run("m", google) for _ in range(10)] == ["bob"] * 10
    assert google.calls == {"ada": 1, "bob": 10}


@pytest.mark.parametrize("fault", [UpstreamUnreachable("away"), UpstreamLocation("not there")])
async def test_a_way_that_fails_concerns_a_credential_only_if_ways_differ(fault: AdapterError) -> None:
    """With one way for all, another credential would fail as well."""
    for differ, calls in ((True, {"ada": 1, "bob": 4}), (False, {"ada": 2, "bob": 2})):
        google = Google({"ada": fault})
        cards = CredentialPool("card", "shop", [Card("ada"), Card("bob")], FakeClock(), ways_differ=differ)
        for _ in range(4):
            with suppress(type(fault)):
                await cards.run("m", google)
        assert google.calls == calls


async def test_a_way_that_failed_is_tried_again_soon() -> None:
    """After seconds: a proxy is restarted sooner than a key is replaced."""
    clock, google = FakeClock(), Google({"ada": UpstreamUnreachable("away")})
    cards = CredentialPool("card", "shop", [Card("ada"), Card("bob")], clock, ways_differ=True)
    await cards.run("m", google)
    del google.faults["ada"]
    await clock.advance(5.0)

    assert {await cards.run("m", google) for _ in range(2)} == {"ada", "bob"}


async def test_what_was_paid_for_is_not_passed_on_though_the_way_failed() -> None:
    """The second try of a picture may follow a first one that was executed."""
    fault = UpstreamUnreachable("away")
    fault.spent = True
    google = Google({"ada": fault})
    cards = CredentialPool("card", "shop", [Card("ada"), Card("bob")], FakeClock(), ways_differ=True)

    with pytest.raises(UpstreamUnreachable):
        await cards.run("m", google)
    assert google.calls == {"ada": 1}


async def test_a_burst_at_the_start_does_not_flood_a_sick_credential() -> None:
    """Until it is known whether a credential works, it gets two calls."""
    google, cards = Google({"ada": UpstreamCredential("no")}), pool("ada", "bob")

    assert await all_of([cards.run("m", google) for _ in range(60)]) == ["bob"] * 60
    assert google.calls["ada"] == 2


async def test_a_slow_answer_is_no_refusal() -> None:
    """Pictures take 20 s. Google refuses in less than three, so the others wait no longer than that."""
    clock, end, taken = FakeClock(), asyncio.Event(), Counter[str]()
    cards = pool("ada", "bob", clock=clock)

    async def draw(card: Card) -> None:
        taken[card.name] += 1
        await end.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(cards.run("m", draw))
        await let_others_run()
        at_first = taken.total()
        await clock.advance(3.0)
        await let_others_run()
        end.set()
        assert (at_first, taken.total()) == (4, 20)


async def test_a_mended_credential_comes_back_by_itself() -> None:
    """It is looked at with one call, and then takes its share."""
    clock = FakeClock()
    google, cards = Google({"ada": UpstreamCredential("no")}), pool("ada", "bob", clock=clock)
    await all_of([cards.run("m", google) for _ in range(10)])
    google.faults.clear()
    await clock.advance(30.0)
    google.calls.clear()

    with structlog.testing.capture_logs() as written:
        await all_of([cards.run("m", google) for _ in range(20)])
        looks = google.calls["ada"]
        await all_of([cards.run("m", google) for _ in range(20)])

    assert (looks, google.calls["ada"]) == (1, 11)
    assert [(line["event"], line["credential"]) for line in written] == [("credential.back", "ada")]


async def test_a_credential_that_is_refused_for_ever_is_looked_at_ever_more_rarely() -> None:
    """Six looks in the first hour and a half, whatever is asked of the others."""
    clock = FakeClock()
    google, cards = Google({"ada": UpstreamCredential("no")}), pool("ada", "bob", clock=clock)
    for _ in range(540):
        assert await cards.run("m", google) == "bob"
        await clock.advance(10.0)

    assert google.calls["ada"] <= 6


async def test_a_credential_that_is_refused_for_ten_minutes_is_back_soon_after() -> None:
    """By itself, and with fewer than five calls until then."""
    clock = FakeClock()
    google, cards = Google({"ada": UpstreamCredential("no")}), pool("ada", "bob", clock=clock)
    for _ in range(600):
        await cards.run("m", google)
        await clock.advance(1.0)
    refused = google.calls["ada"]
    google.faults.clear()
    for _ in range(100):
        await cards.run("m", google)
        await clock.advance(1.0)

    assert (refused, google.calls["ada"] > refused) == (3, True)


async def test_each_rest_is_one_line_and_one_count() -> None:
    """It names the credential and the reason, and holds no secret."""
    counts = Counts()
    google, cards = Google({"ada": UpstreamQuota("none left")}), pool("ada", "bob", metrics=counts)

    with structlog.testing.capture_logs() as written:
        await all_of([cards.run("m", google) for _ in range(20)])

    assert written == [
        {
            "event": "credential.set_aside",
            "log_level": "error",
            "provider": "shop",
            "credential": "ada",
            "code": "insufficient_quota",
            "error": "none left",
            "seconds": 60,
            "model": "m",
        }
    ]
    assert counts.counted == {("credentials_set_aside", "ada"): 1}


async def test_a_users_bad_request_harms_no_credential() -> None:
    """It fails at once and is sent once."""
    google = Google({name: InvalidRequest("a field") for name in ("ada", "bob")})
    cards = pool("ada", "bob")
    for _ in range(4):
        with pytest.raises(InvalidRequest):
            await cards.run("m", google)

    assert google.calls == {"ada": 2, "bob": 2}


async def test_what_may_have_been_executed_is_not_sent_again() -> None:
    """Silence is no refusal."""
    google = Google({"ada": UpstreamSilent("silence"), "bob": UpstreamSilent("silence")})

    with pytest.raises(UpstreamSilent):
        await pool("ada", "bob").run("m", google)
    assert google.calls.total() == 1


async def test_a_quota_of_one_model_leaves_the_others_alone() -> None:
    """Google counts by model. A refused credential is refused for all of them."""
    google, cards = Google({"ada": UpstreamQuota("none left")}), pool("ada", "bob")
    await all_of([cards.run("large", google) for _ in range(4)])
    google.faults.clear()

    assert {await cards.run("small", google) for _ in range(4)} == {"ada", "bob"}
    assert {await cards.run("large", google) for _ in range(4)} == {"bob"}


async def test_an_account_that_is_throttled_rests_for_all_models() -> None:
    """Where the provider counts so; a quota is still one model's."""
    cards = CredentialPool("card", "shop", [Card("ada"), Card("bob")], FakeClock(), throttles_all=True)
    google = Google({"ada": UpstreamBusy("later", retry_after=3.0)})
    await all_of([cards.run("large", google) for _ in range(4)])
    google.faults.clear()

    assert {await cards.run("small", google) for _ in range(4)} == {"bob"}


async def test_the_only_credential_is_asked_in_any_case() -> None:
    """Its refusals are Google's own words, and it works at once when it is mended."""
    google, cards = Google({"ada": UpstreamCredential("no")}), pool("ada")
    for _ in range(3):
        with pytest.raises(UpstreamCredential), structlog.testing.capture_logs() as written:
            await cards.run("m", google)
        assert written == []
    google.faults.clear()

    assert await cards.run("m", google) == "ada"


async def test_if_all_rest_the_one_that_is_due_first_is_asked() -> None:
    """A pool does not refuse by itself, and each request asks one of them once."""
    google = Google({"ada": UpstreamCredential("no"), "bob": UpstreamBusy("later", retry_after=3.0)})
    cards = pool("ada", "bob")
    with pytest.raises(UpstreamBusy):
        await cards.run("m", google)
    google.calls.clear()
    with pytest.raises(UpstreamBusy):
        await cards.run("m", google)

    assert google.calls == {"bob": 1}


async def test_a_client_hears_when_to_come_back_if_any_credential_says_so() -> None:
    """Also if the last one that was asked is the operator's to mend."""
    google = Google({"ada": UpstreamBusy("later", retry_after=3.0), "bob": UpstreamCredential("no")})

    with pytest.raises(UpstreamBusy) as caught:
        await pool("ada", "bob").run("m", google)

    assert (caught.value.retry_after, caught.value.should_retry) == (3.0, True)


def job_with(cards: CredentialPool[Card], google: Callable[[Card], Awaitable[str]]) -> Callable[..., Awaitable[str]]:
    """Return a function that works for a job with a credential."""

    async def work(name: str, *, is_tied: bool = False) -> str:
        async with cards.using(name, "videos", is_tied=is_tied) as card:
            return await google(card)

    return work


async def test_a_job_hears_that_another_credential_takes_it() -> None:
    """The refused one is not even asked while it rests; a job that is tied to it is sent in any case."""
    google, cards = Google({"ada": UpstreamQuota("none left")}), pool("ada", "bob")
    work = job_with(cards, google)
    for _ in range(3):
        with pytest.raises(UpstreamQuota) as caught:
            await work("ada")
        assert caught.value.another_takes_it
    assert google.calls == {"ada": 1}
    assert [cards.choose("videos").name for _ in range(3)] == ["bob"] * 3

    with pytest.raises(UpstreamQuota):
        await work("ada", is_tied=True)
    assert google.calls == {"ada": 2}


async def test_a_job_of_the_only_credential_stays_with_it() -> None:
    """There is nothing to move to."""
    with pytest.raises(UpstreamQuota) as caught:
        await job_with(pool("ada"), Google({"ada": UpstreamQuota("none left")}))("ada")

    assert not caught.value.another_takes_it


async def test_jobs_do_not_flood_a_sick_credential() -> None:
    """Twenty are given to each at once; the sick one is asked twice, and the others of its jobs hear of that."""
    google, cards = Google({"ada": UpstreamCredential("no")}), pool("ada", "bob")
    work = job_with(cards, google)

    async def outcome(name: str) -> str:
        try:
            return await work(name)
        except UpstreamCredential as fault:
            return "moves" if fault.another_takes_it else "fails"

    ended = await all_of([outcome(name) for name in ("ada", "bob") * 20])

    assert Counter(ended) == {"moves": 20, "bob": 20}
    assert google.calls["ada"] == 2


async def test_a_credential_that_is_switched_off_takes_no_new_work() -> None:
    """The jobs that it has are looked after."""
    cards = CredentialPool("card", "shop", [Card("ada", enabled=False)], FakeClock())

    with pytest.raises(UpstreamCredential, match="No card takes new work"):
        cards.choose()
    with pytest.raises(UpstreamCredential, match="No card takes new work"):
        await cards.run("m", Google())
    assert cards.find("ada").name == "ada"


def shop(*names: str) -> set[CredentialName]:
    """Return credentials that the operator disabled; one of another provider is among them."""
    return {*(CredentialName("shop", name) for name in names), CredentialName("market", "bob")}


async def test_a_credential_that_is_disabled_while_it_works_takes_no_new_work() -> None:
    """Its jobs go on, and it takes its share again when it is enabled."""
    google, cards = Google(), pool("ada", "bob")
    cards.disable(shop("ada"))

    assert [await cards.run("m", google) for _ in range(3)] == ["bob"] * 3
    assert {cards.choose().name for _ in range(3)} == {"bob"}
    assert await job_with(cards, google)("ada") == "ada"

    cards.disable(shop())
    assert {await cards.run("m", google) for _ in range(2)} == {"ada", "bob"}


async def test_a_credential_that_the_configuration_disables_stays_so() -> None:
    """The operator's command only takes work away."""
    cards = CredentialPool("card", "shop", [Card("ada", enabled=False), Card("bob")], FakeClock())
    cards.disable(shop("bob"))
    cards.disable(shop())

    assert {cards.choose().name for _ in range(3)} == {"bob"}


async def test_work_that_waits_hears_of_a_switch() -> None:
    """It goes to what was enabled; without any it is refused."""
    end, taken = asyncio.Event(), Counter[str]()
    cards = CredentialPool("card", "shop", [Card("ada", 1), Card("bob", 1)], FakeClock())
    cards.disable(shop("bob"))

    async def hold(card: Card) -> None:
        taken[card.name] += 1
        await end.wait()

    async def outcome() -> str:
        try:
            await cards.run("m", hold)
        except UpstreamCredential:
            return "refused"
        return "done"

    async with asyncio.TaskGroup() as group:
        works = [group.create_task(outcome()) for _ in range(3)]
        await let_others_run()
        cards.disable(shop())
        await let_others_run()
        both = dict(taken)
        cards.disable(shop("ada", "bob"))
        await let_others_run()
        end.set()

    assert both == {"ada": 1, "bob": 1}
    assert Counter(work.result() for work in works) == {"done": 2, "refused": 1}


async def test_a_pool_tells_how_its_credentials_stand() -> None:
    """What works, what rests and until when, and what Google said last."""
    google = Google({"ada": UpstreamCredential("no"), "bob": UpstreamQuota("none left for ya29.secret")})
    cards = pool("ada", "bob", "eve", clock=FakeClock(1000.0))
    await all_of([cards.run("m", google) for _ in range(6)])
    cards.note_worth("eve", 40, "TIER")

    ada, bob, eve = cards.states()

    assert (ada.is_failing, ada.rests) == (True, (Rest(1030.0),))
    assert (bob.is_proven, bob.is_failing, bob.rests) == (True, False, (Rest(1060.0, "m"),))
    assert bob.refusal is not None
    assert (bob.refusal.at, bob.refusal.code) == (1000.0, "insufficient_quota")
    assert "ya29.secret" not in bob.refusal.message
    assert eve.balance is not None
    assert (eve.is_proven, eve.refusal, eve.balance.credits, eve.tier) == (True, None, 40, "TIER")


async def test_the_only_credential_is_told_to_fail_and_not_to_rest() -> None:
    """It is asked in any case. Its last refusal is still told when it works again."""
    google, cards = Google({"ada": UpstreamQuota("none left")}), pool("ada")
    with pytest.raises(UpstreamQuota):
        await cards.run("m", google)
    [refused] = cards.states()
    google.faults.clear()
    await cards.run("m", google)
    [mended] = cards.states()

    assert (refused.is_failing, refused.rests) == (True, ())
    assert (mended.is_failing, mended.is_proven, mended.refusal) == (False, True, refused.refusal)


async def test_calls_under_way_are_told() -> None:
    """As the pool counts them."""
    cards, told = pool("ada"), list[CredentialState]()

    async def look(_card: Card) -> None:
        told.extend(cards.states())

    await cards.run("m", look)

    assert [state.calls for state in [*told, *cards.states()]] == [1, 0]


async def test_an_account_whose_credits_do_not_suffice_is_passed_over() -> None:
    """Unknown credits are not zero."""
    cards = pool("ada", "bob", "eve")
    cards.note_worth("ada", 19)
    cards.note_worth("bob", 20)

    assert {cards.choose(needs=20).name for _ in range(6)} == {"bob", "eve"}
    cards.note_worth("ada", 20)
    assert {cards.choose(needs=20).name for _ in range(6)} == {"ada", "bob", "eve"}


async def test_google_decides_if_no_account_has_enough() -> None:
    """What was read may be wrong, and the client gets Google's own answer."""
    cards = pool("ada", "bob")
    cards.note_worth("ada", 5)
    cards.note_worth("bob", 3)

    assert [cards.choose(needs=20).name for _ in range(2)] == ["ada", "ada"]


async def test_among_equals_the_richest_account_is_chosen() -> None:
    """After the calls under way."""
    cards, chosen = pool("ada", "bob"), list[str]()
    cards.note_worth("ada", 100)
    cards.note_worth("bob", 500)

    async with cards.using("bob", needs=20):
        chosen.append(cards.choose(needs=20).name)
    chosen.append(cards.choose(needs=20).name)

    assert chosen == ["ada", "bob"]


async def test_credits_of_work_under_way_are_not_given_twice() -> None:
    """Three videos for 20 credits each, and an account that has 50: the third one moves before it is sent."""
    cards = pool("ada", "bob")
    async with cards.using("ada"):
        pass
    cards.note_worth("ada", 50)

    async with cards.using("ada", needs=20), cards.using("ada", needs=20):
        with pytest.raises(UpstreamQuota) as caught:
            async with cards.using("ada", needs=20):
                raise NotImplementedError
        async with cards.using("ada", needs=20, is_tied=True):
            pass

    assert caught.value.another_takes_it
    assert [state.rests for state in cards.states()] == [(), ()]
    async with cards.using("ada", needs=50):
        pass


async def test_credits_that_were_read_long_ago_are_not_known() -> None:
    """An account may be filled up. The next look costs nothing."""
    clock = FakeClock()
    cards = pool("ada", "bob", clock=clock)
    cards.note_worth("ada", 0)
    async with cards.using("ada", is_tied=True):
        pass
    assert {cards.choose(needs=20).name for _ in range(4)} == {"bob"}

    await clock.advance(KNOWN_SECONDS)

    async with cards.using("ada", needs=20):
        pass
