"""The headers of a repetition."""

import pytest

from adapter.errors import InvalidRequest
from adapter.openai_api.read.retries import read_retry_info, read_route


@pytest.mark.parametrize(
    ("count", "expected"),
    [("0", 0), ("1", 1), ("12", 12), ("", 0), ("-1", 0), ("one", 0), ("1.5", 0), ("٣", 0), ("9" * 40, 0)],
)
def test_a_count_that_is_none_counts_as_none(count: str, expected: int) -> None:
    """Nobody is refused for it."""
    assert read_retry_info({"x-stainless-retry-count": count}).count == expected


def test_a_key_is_kept_as_its_digest() -> None:
    """Whoever reads the database learns none."""
    key = read_retry_info({"idempotency-key": "secret"}).key

    assert key is not None
    assert (len(key), "secret" in key) == (64, False)
    assert read_retry_info({}).key is None


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "é", "a\n"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    """1 to 255 printable ASCII characters."""
    with pytest.raises(InvalidRequest):
        read_retry_info({"idempotency-key": key})


@pytest.mark.parametrize("prefix", ["", "/v1", "/v1/v1"])
def test_a_route_has_no_prefix(prefix: str) -> None:
    """They all answer alike."""
    assert read_route(f"{prefix}/videos/v1/remix") == "/videos/v1/remix"
