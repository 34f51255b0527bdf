"""What processes know together of a credential."""

import pytest

from adapter.domain.credentials import (
    Balance,
    CredentialName,
    CredentialRefusal,
    CredentialState,
    Health,
    Rest,
    summary_of,
)

NOW = 1000.0
ADA = CredentialName("flow", "ada")


def state(**changes: object) -> CredentialState:
    """Return how the account stands in one process."""
    return CredentialState(provider="flow", name="ada", **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("states", "health"),
    [
        ([], Health.UNKNOWN),
        ([state()], Health.UNKNOWN),
        ([state(is_proven=True)], Health.OK),
        ([state(is_proven=True), state()], Health.OK),
        ([state(is_proven=True), state(is_failing=True)], Health.FAILING),
        ([state(is_proven=True, rests=(Rest(1060.0, "nano"),))], Health.LIMITED),
        ([state(is_failing=True, rests=(Rest(1060.0),)), state(is_proven=True)], Health.RESTING),
        ([state(is_failing=True, rests=(Rest(999.0),))], Health.FAILING),
        ([CredentialState(provider="flow", name="bob", is_proven=True)], Health.UNKNOWN),
        ([CredentialState(provider="gemini", name="ada", is_proven=True)], Health.UNKNOWN),
    ],
)
def test_the_worst_that_a_process_tells_counts(states: list[CredentialState], health: Health) -> None:
    """Rests that are over do not count, nor what is told of others."""
    assert summary_of(ADA, states, enabled=True, now=NOW).health is health


def test_the_newest_word_of_all_processes_is_shown() -> None:
    """Credits and the last refusal by their times; calls are added."""
    old, new = Balance(credits=80, at=900.0), Balance(credits=60, at=950.0)
    first, last = (
        CredentialRefusal(at=800.0, code="a", message="first"),
        CredentialRefusal(at=850.0, code="b", message="last"),
    )

    found = summary_of(
        ADA,
        [state(calls=2, balance=new, refusal=first, tier="TIER"), state(calls=1, balance=old, refusal=last)],
        enabled=True,
        now=NOW,
    )

    assert (found.credits, found.credits_at, found.tier) == (60, 950.0, "TIER")
    assert (found.error_code, found.error, found.error_at) == ("b", "last", 850.0)
    assert (found.calls, found.processes) == (3, 2)


def test_unknown_credits_are_not_zero() -> None:
    """Zero is what an account has when all is spent."""
    spent = Balance(credits=0, at=900.0)

    assert summary_of(ADA, [state()], enabled=True, now=NOW).credits is None
    assert summary_of(ADA, [state(balance=spent)], enabled=True, now=NOW).credits == 0


def test_a_rest_is_for_all_models_or_names_them() -> None:
    """The longest rest for all, if there is one."""
    some = [state(rests=(Rest(1060.0, "b"), Rest(1030.0, "a")))]
    found = summary_of(ADA, some, enabled=True, now=NOW)
    assert (found.rests_until, found.rests_for) == (1060.0, ["a", "b"])

    found = summary_of(ADA, [*some, state(rests=(Rest(1020.0),))], enabled=True, now=NOW)
    assert (found.rests_until, found.rests_for) == (1020.0, [])


def test_a_disabled_credential_is_called_so() -> None:
    """Whatever Google said of it."""
    assert summary_of(ADA, [state(is_proven=True)], enabled=False, now=NOW).health is Health.DISABLED
