"""The ids that clients see."""

import re

import pytest

from adapter.domain.ids import Id


@pytest.mark.parametrize("kind", list(Id))
def test_the_key_of_an_id_is_found_again(kind: Id) -> None:
    """In ids of its own kind only."""
    key = kind.key_in(kind.new())
    assert key is not None
    assert re.fullmatch("[0-9a-f]{32}", key)
    assert [other for other in Id if other.key_in(kind.of(key)) == key] == [kind]


def test_what_is_no_id_has_no_key() -> None:
    """Nor has an id of another kind."""
    assert Id.RESPONSE.key_in("") is None
    assert Id.RESPONSE.key_in("ig_0123") is None
