"""How a credential stands: what sets it aside, for how long, and how it comes back."""

import pytest

from adapter.errors import (
    AccountRefused,
    AdapterError,
    ContentRefused,
    InvalidRequest,
    NoMedia,
    SecretUnreadable,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamCredential,
    UpstreamForgot,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamSilent,
    already_paid,
)
from adapter.providers.standing import Standing, is_passed_on, proves

REFUSED = UpstreamCredential("no")


def rests(fault: AdapterError, times: int) -> list[float]:
    """Return how long each rest is, where a look is refused as soon as the rest is over."""
    standing, now, found = Standing(), 1000.0, []
    for _ in range(times):
        standing = standing.begin(now).refuse(fault, now).end()
        found.append(standing.rests_until - now)
        now = standing.rests_until
    return found


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (UpstreamBusy("later", retry_after=34.0), [34.0, 34.0, 34.0]),
        (UpstreamBusy("later", retry_after=1e7), [3600.0, 3600.0, 3600.0]),
        (UpstreamBusy("later"), [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]),
        (UpstreamQuota("none left", retry_after=3.0), [60.0, 240.0, 960.0, 3600.0, 3600.0]),
        (REFUSED, [30.0, 120.0, 480.0, 1920.0, 3600.0, 3600.0]),
        (SecretUnreadable("gone"), [30.0, 120.0]),
        (AccountRefused("not with this tier"), [30.0, 120.0]),
    ],
)
def test_a_rest_is_as_long_as_google_asks_or_ever_longer(fault: AdapterError, seconds: list[float]) -> None:
    """An hour at the most: a credential may be mended before that."""
    assert rests(fault, len(seconds)) == seconds


def test_a_rest_that_is_repeated_for_years_is_an_hour() -> None:
    """No number grows beyond what a float holds."""
    assert rests(REFUSED, 3000)[-1] == 3600.0


def test_a_credential_that_rests_has_no_place_and_then_one() -> None:
    """It is looked at with one call."""
    standing = Standing().begin(0.0).refuse(REFUSED, 0.0).end()

    assert [standing.has_place(now) for now in (0.0, 29.9, 30.0)] == [False, False, True]
    assert not standing.begin(30.0).has_place(30.0)


def test_a_new_credential_gets_two_calls_until_one_is_not_refused() -> None:
    """The third waits for the proof, or for as long as a refusal may take."""
    tried = Standing().begin(10.0).begin(11.0)

    assert not tried.has_place(12.9)
    assert tried.has_place(13.0)
    assert tried.accept(10.0).has_place(11.0)


def test_calls_that_were_refused_together_are_one_refusal() -> None:
    """Five at once must not set a credential aside for a day."""
    standing = Standing().begin(0.0).begin(0.0)
    once = standing.refuse(REFUSED, 1.0)

    assert once.refuse(REFUSED, 1.1) == once


def test_a_call_that_is_not_refused_ends_the_row() -> None:
    """The next rest is as short as the first."""
    standing = Standing().begin(0.0).refuse(REFUSED, 0.0).end().begin(30.0).refuse(REFUSED, 30.0).end()
    well = standing.begin(150.0).accept(150.0).end()

    assert well == Standing(is_proven=True)
    assert well.refuse(REFUSED, 200.0).rests_until == 230.0


def test_a_call_that_began_before_a_rest_does_not_end_it() -> None:
    """It was let in before Google changed its mind."""
    resting = Standing().begin(0.0).begin(0.0).refuse(REFUSED, 5.0).end()

    assert resting.accept(0.0) == resting


def test_a_call_that_was_made_during_a_rest_ends_it() -> None:
    """It was the only credential left, and it works again."""
    resting = Standing().begin(0.0).refuse(REFUSED, 0.0).end()

    assert not resting.begin(10.0).accept(10.0).is_resting(10.0)


@pytest.mark.parametrize("fault", [InvalidRequest("a field"), ContentRefused("unsafe"), NoMedia("none")])
def test_a_users_bad_request_shows_that_the_credential_works(fault: AdapterError) -> None:
    """Google looked at it, so the credential was taken."""
    assert proves(fault)
    assert not is_passed_on(fault)


@pytest.mark.parametrize(
    "fault", [UpstreamSilent("silence"), UpstreamBroken("cut"), UpstreamOverloaded("full"), UpstreamForgot("what?")]
)
def test_trouble_on_the_way_says_nothing_of_a_credential(fault: AdapterError) -> None:
    """Another credential would have met it too, or the request may have been executed."""
    assert not proves(fault)
    assert not is_passed_on(fault)


def test_what_was_paid_before_is_not_passed_on() -> None:
    """The same refusal, after a picture that was paid for."""
    with pytest.raises(UpstreamBusy) as caught, already_paid():
        raise UpstreamBusy("later")

    assert not is_passed_on(caught.value)
