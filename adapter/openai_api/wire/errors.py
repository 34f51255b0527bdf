"""The body of every error (reference: `openai.md` section 2). All four keys are required."""

from typing import Literal

import msgspec


class ErrorObject(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope."""

    error: ErrorObject


class ErrorEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope inside a stream of named events; both SDKs raise on it (`openai.md` section 3)."""

    error: ErrorObject
    type: Literal["error"] = "error"
