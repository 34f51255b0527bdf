"""`GET /health` and `GET /ready`; ours."""

from typing import Literal

import msgspec


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """That the process answers, or takes new work."""

    status: Literal["ok", "ready"]
