"""Azure's addresses: `/openai/…` in the place of `/v1/…`, and models that are named there."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from adapter.openai_api.read.form import Part

#: The model's name may have slashes, as `vendor/model`.
_AZURE = re.compile(
    r"(?:/v1)*/openai(?:/v1|/deployments/(?P<model>.+?))?(?P<path>/(?:chat|files|images|models|responses|videos)(?:/.*)?)"
)


class Address(NamedTuple):
    """What an address of Azure means here."""

    path: str
    #: The model, if the address names one.
    model: str | None


def read_address(path: str) -> Address | None:
    """Return what an address means, or None for one that is not Azure's."""
    found = _AZURE.fullmatch(path)
    return found and Address(f"/v1{found['path']}", found["model"])


def name_model(body: bytes, model: str) -> bytes:
    """Return a JSON object with this model. As at Azure, the address counts: its client sends any name in the body."""
    whole = body.rstrip()
    if not whole.endswith(b"}"):
        return body  # no object; the reader says so
    members = whole[:-1].rstrip()
    comma = b"" if members.endswith(b"{") else b","
    return b'%b%b"model":%b}' % (members, comma, msgspec.json.encode(model))  # of two members, the last one counts


def name_model_in_form(parts: Sequence[Part], model: str) -> Sequence[Part]:
    """Return a form with this model."""
    return [*(part for part in parts if part.name != "model"), Part("model", model.encode())]
