"""The body of every error (reference: `openai.md` section 2). All four keys are required."""

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
