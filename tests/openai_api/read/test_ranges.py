"""The `Range` header (RFC 9110 section 14)."""

import pytest

from adapter.errors import RangeNotSatisfiable
from adapter.openai_api.read.ranges import ByteRange, byte_range, is_unchanged


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=0-99", ByteRange(0, 100)),
        ("bytes=90-", ByteRange(90, 100)),
        ("bytes=90-500", ByteRange(90, 100)),
        ("bytes=-10", ByteRange(90, 100)),
        ("bytes=-500", ByteRange(0, 100)),
    ],
)
def test_a_range_is_read(header: str, found: ByteRange) -> None:
    """From, to, open and counted from the end."""
    assert byte_range(header, 100) == found


@pytest.mark.parametrize("header", [None, "", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=0-1,5-6", "items=0-5"])
def test_what_is_malformed_or_several_means_the_whole_file(header: str | None) -> None:
    """A server may ignore such a header, and this one does."""
    assert byte_range(header, 100) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_outside_the_file_is_416(header: str) -> None:
    """The client is told how long the file is."""
    with pytest.raises(RangeNotSatisfiable, match="100 bytes") as caught:
        byte_range(header, 100)

    assert (caught.value.status, caught.value.headers) == (416, {"content-range": "bytes */100"})


@pytest.mark.parametrize("header", ['"a"', 'W/"a"', '"b", "a"', "*"])
def test_a_client_that_has_the_file_need_not_fetch_it(header: str) -> None:
    """By any tag of its list."""
    assert is_unchanged(header, '"a"')


@pytest.mark.parametrize("header", [None, "", '"b"', "a"])
def test_a_client_that_has_another_file_or_none_gets_it(header: str | None) -> None:
    """Tags are compared with their quotes."""
    assert not is_unchanged(header, '"a"')
