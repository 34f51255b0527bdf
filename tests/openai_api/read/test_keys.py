"""Where clients put their key."""

import pytest
from litestar.datastructures import Headers

from adapter.openai_api.read.keys import read_keys


@pytest.mark.parametrize(
    ("headers", "keys"),
    [
        ({}, []),
        ({"Authorization": "Bearer sk-one"}, ["sk-one"]),
        ({"Authorization": "bearer  sk-one "}, ["sk-one"]),
        ({"Authorization": "BEARER sk-one"}, ["sk-one"]),
        ({"Authorization": "Bearer"}, []),
        ({"Authorization": "Bearer  "}, []),
        ({"Authorization": "sk-one"}, []),
        ({"Authorization": "Basic c2stb25l"}, []),
        ({"API-Key": "sk-one"}, ["sk-one"]),
        ({"X-Api-Key": " sk-one "}, ["sk-one"]),
        ({"api-key": ""}, []),
        ({"Authorization": "Basic c2stb25l", "x-api-key": "sk-one"}, ["sk-one"]),
        ({"Authorization": "Bearer dummy", "api-key": "sk-one", "x-api-key": "sk-two"}, ["dummy", "sk-one", "sk-two"]),
        ({"Authorization": "Bearer caf\xe9 \x00"}, ["caf\xe9 \x00"]),
    ],
)
def test_a_key_is_found_where_clients_put_it(headers: dict[str, str], keys: list[str]) -> None:
    """OpenAI's, Azure's and Anthropic's; what is no key is none."""
    assert list(read_keys(Headers(headers))) == keys
