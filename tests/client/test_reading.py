"""Addresses as people write them, and streams as servers cut them."""

import click
import pytest

from adapter.client.address import base_of
from adapter.client.event_lines import event_data


@pytest.mark.parametrize(
    ("written", "base"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000"),
        ("https://media.example/adapter/v1", "https://media.example/adapter"),
        (" HTTP://[::1]:8000 ", "http://[::1]:8000"),
        ("https://müller.example", "https://xn--mller-kva.example"),
    ],
)
def test_an_address_is_read_with_and_without_the_version(written: str, base: str) -> None:
    """People copy it from the settings of another program."""
    assert base_of(written) == base


@pytest.mark.parametrize(
    "written",
    [
        "",
        "127.0.0.1:8000",
        "ftp://here",
        "http://",
        "http://bob:secret@here",
        "http://here:port",
        "http://here/?key=secret",
        "http://he re",
        "http://[::1",
        f"http://{'a' * 64}.example",
        "http://here/ä",
    ],
)
def test_another_address_is_refused_without_being_repeated(written: str) -> None:
    """It may have a password in it."""
    with pytest.raises(click.UsageError, match="has to be like http") as caught:
        base_of(written)

    assert "secret" not in caught.value.message


def test_events_come_together_from_any_pieces() -> None:
    """Comments are left out, and an event that was cut off does not count."""
    stream = b': working\n\nid: 1\nevent: x\ndata: {"a":\ndata: 1}\n\ndata:two\r\n\r\ndata: half'

    for size in (1, 3, len(stream)):
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert list(event_data(pieces)) == [b'{"a":\n1}', b"two"]
