"""Providers that are replaced while their jobs run."""

import msgspec

from adapter.domain.job import Operation
from adapter.live_providers import ConfiguredProvider, LiveProviders, Offer
from adapter.providers.description import Provider
from adapter.providers.flow.settings import FlowAccount, FlowSettings
from tests.fakes import FakeImageMaker, FakeVideoProvider, video_job


def flow(*names: str) -> FlowSettings:
    """Return a section with these accounts."""
    return FlowSettings(accounts=tuple(FlowAccount(name=name, token="env:A", project_id="p") for name in names))


def followed(offer: Offer, videos: FakeVideoProvider | None, *names: str) -> Offer:
    """Return an offer with this maker of videos instead; None: without one."""
    configured = {} if videos is None else {"flow": ConfiguredProvider(flow(*names), Provider(videos=videos))}
    return offer.followed_by(configured, lambda _: FakeImageMaker())


async def polled(offer: Offer, account: str) -> None:
    """Ask about a job of an account."""
    await offer.videos["flow"].poll([Operation("op", "mark")], account=account)


async def test_a_job_is_looked_after_by_the_newest_provider_that_has_its_account() -> None:
    """A token may have changed."""
    first, second = FakeVideoProvider(), FakeVideoProvider()
    offer = followed(followed(Offer(), first, "a", "b"), second, "b", "c")
    for account in ("a", "b", "c"):
        await polled(offer, account)

    assert [account for account, _ in first.polls] == ["a"]
    assert [account for account, _ in second.polls] == ["b", "c"]


async def test_an_account_that_left_is_known_over_any_number_of_changes() -> None:
    """Also while the whole provider was gone."""
    first, second = FakeVideoProvider(), FakeVideoProvider()
    offer = followed(followed(followed(Offer(), first, "a"), None), second, "b")
    await polled(offer, "a")

    assert [account for account, _ in first.polls] == ["a"]


async def test_new_work_goes_to_the_newest_provider() -> None:
    """That it has other accounts is the reason for the change."""
    first, second = FakeVideoProvider(), FakeVideoProvider()
    first.accounts, second.accounts = ["a"], ["b"]
    offer = followed(followed(Offer(), first, "a"), second, "b")

    assert offer.videos["flow"].choose_account(video_job()) == "b"


def test_a_provider_whose_section_is_the_same_stays() -> None:
    """With what it knows of its credentials."""
    offer = followed(Offer(), FakeVideoProvider(), "a")

    assert [*offer.unchanged({"flow": flow("a")})] == ["flow"]
    assert [*offer.unchanged({"flow": msgspec.structs.replace(flow("a"), connect_seconds=1.0)})] == []


def test_what_looks_a_provider_up_finds_the_one_of_now() -> None:
    """The mapping is given out once."""
    live = LiveProviders()
    videos = live.videos
    live.offer = followed(Offer(), FakeVideoProvider(), "a")

    assert [*videos] == ["flow"]
    assert len(videos) == 1
