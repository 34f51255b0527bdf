"""Which earlier execution answers a request (`docs/retries.md`)."""

import msgspec
import pytest

from adapter.domain.executions import RequestIdentity, RetryInfo, is_same_content, pick


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """An execution as `pick` sees it."""

    name: str = ""
    attempts: int = 0
    is_waited_for: bool = False
    is_answered: bool = False
    is_failed: bool = False
    is_refused: bool = False


LEFT = Execution(name="left")
WAITED = Execution(name="waited", is_waited_for=True)
ANSWERED = Execution(name="answered", is_answered=True)
FAILED = Execution(name="failed", is_failed=True)
REFUSED = Execution(name="refused", is_failed=True, is_refused=True, is_answered=True)
RETRIED = Execution(name="retried", attempts=1)


@pytest.mark.parametrize(
    ("earlier", "repeat", "joined"),
    [
        ([], RetryInfo(), None),
        ([LEFT], RetryInfo(), "left"),
        ([WAITED], RetryInfo(), None),
        ([ANSWERED], RetryInfo(), None),
        ([FAILED], RetryInfo(), None),
        ([LEFT, WAITED, ANSWERED, FAILED], RetryInfo(), "left"),
        ([RETRIED], RetryInfo(), "retried"),
        ([], RetryInfo(count=1), None),
        ([WAITED], RetryInfo(count=1), "waited"),
        ([ANSWERED], RetryInfo(count=1), "answered"),
        ([FAILED], RetryInfo(count=1), "failed"),
        ([LEFT, WAITED, ANSWERED], RetryInfo(count=1), "left"),
        ([ANSWERED, WAITED], RetryInfo(count=1), "waited"),
        ([WAITED, ANSWERED], RetryInfo(count=1), "answered"),
        ([LEFT, RETRIED], RetryInfo(count=1), "left"),
        ([LEFT, RETRIED], RetryInfo(count=2), "retried"),
        ([RETRIED, WAITED], RetryInfo(count=1), "waited"),
        ([RETRIED], RetryInfo(count=1), "retried"),
        ([REFUSED], RetryInfo(), None),
        ([REFUSED], RetryInfo(count=1), "refused"),
        ([REFUSED, WAITED, ANSWERED], RetryInfo(count=1), "refused"),
        ([REFUSED, LEFT, REFUSED], RetryInfo(count=1), "left"),
        ([REFUSED, RETRIED], RetryInfo(count=1), "refused"),
        ([], RetryInfo(key="k"), None),
        ([REFUSED], RetryInfo(key="k"), "refused"),
        ([WAITED], RetryInfo(key="k"), "waited"),
        ([ANSWERED], RetryInfo(key="k", count=1), "answered"),
        ([FAILED], RetryInfo(key="k"), "failed"),
    ],
)
def test_a_request_joins_what_the_table_says(earlier: list[Execution], repeat: RetryInfo, joined: str | None) -> None:
    """Row by row; the executions are named from the oldest on."""
    found = pick(earlier, repeat)

    assert (found and found.name) == joined


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("1:a", "1:a", True), ("1:a", "1:b", False), ("1:a", "2:b", True), ("abc", "1:b", True)],
)
def test_contents_of_two_versions_cannot_be_compared(one: str, other: str, *, same: bool) -> None:
    """Then the key decides: an upgrade makes no retry a second execution, nor a 400."""
    assert is_same_content(one, other) is same


def test_a_key_stands_for_itself_and_for_one_owner_and_route() -> None:
    """No two of them share a name."""
    asked = RequestIdentity(owner="ada", route="/videos", content="c", repeat=RetryInfo(key="k"))
    others = [
        msgspec.structs.replace(asked, owner="bob"),
        msgspec.structs.replace(asked, route="/images/edits"),
        msgspec.structs.replace(asked, repeat=RetryInfo(key="l")),
        msgspec.structs.replace(asked, repeat=RetryInfo()),
        msgspec.structs.replace(asked, repeat=RetryInfo(count=1), content="k"),
    ]

    assert len({asked.scope, *(other.scope for other in others)}) == 6
