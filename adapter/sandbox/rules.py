"""What the sandbox is told: its place, its accounts, its pace."""

from typing import Annotated

import msgspec
from msgspec import Meta

Seconds = Annotated[float, Meta(ge=0, le=86_400)]


class SandboxAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Flow account: the Bearer token that opens it, its one project and what it may spend."""

    token: Annotated[str, Meta(min_length=1)]
    """The Bearer token, as sent after `Authorization: Bearer `."""
    project_id: Annotated[str, Meta(min_length=1)]
    """The only Flow project of this account (a UUID in the seeds)."""
    tier: str = "PAYGATE_TIER_ONE"
    """PAYGATE_TIER_NOT_PAID, PAYGATE_TIER_ONE or PAYGATE_TIER_TWO; a request that names another tier is refused."""
    credits: Annotated[int, Meta(ge=0)] = 1000
    """Credits at the first start; what was spent is in the journal."""


DEFAULT_ACCOUNT = SandboxAccount(token="sandbox-flow-token", project_id="02ac868b-925f-40c1-9187-a688bd03a84d")  # noqa: S106 (it opens only the emulator)


class SandboxRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The section `[sandbox]` of the configuration, and the argument of `create_sandbox`."""

    enabled: bool = False
    """Whether `adapter serve` starts the sandbox beside itself."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8001
    """TCP port; 0 takes a free one."""
    state: str = ""
    """Folder of the journal and the uploaded pictures; empty keeps everything in memory."""
    api_keys: tuple[str, ...] = ("AIza-sandbox",)
    """Gemini API keys that are accepted."""
    accounts: tuple[SandboxAccount, ...] = (DEFAULT_ACCOUNT,)
    """Flow accounts."""
    image_seconds: Seconds = 0.0
    """Seconds that a picture takes before it is drawn, 0 to 86400; Google's take 12 to 25."""
    pending_seconds: Seconds = 2.0
    """Seconds a video job stays PENDING, 0 to 86400."""
    active_seconds: Seconds = 8.0
    """Seconds it is then ACTIVE before it ends, 0 to 86400."""
    clip_seconds: Annotated[float, Meta(ge=0.1, le=60)] = 8.0
    """Length of a video in seconds, 0.1 to 60."""
    clip_long_edge: Annotated[int, Meta(ge=64, le=1920)] = 1280
    """Pixels of a video's long edge, 64 to 1920; the short edge is 9/16 of it, both rounded down to even."""
    link_seconds: Annotated[float, Meta(gt=0)] = 3600.0
    """Seconds until a signed media link expires."""
    video_credits: Annotated[int, Meta(ge=0)] = 20
    """Credits that one video costs, taken at its submit."""
