"""The settings of the sandbox: its address, its accounts, its delays."""

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from adapter.sandbox.cloud.rules import CloudRules

Seconds = Annotated[float, Meta(ge=0, le=86_400)]


class SandboxAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Flow account: the Bearer token that opens it, its one project and what it may spend."""

    #: As sent after `Authorization: Bearer `.
    token: Annotated[str, Meta(min_length=1)]
    #: The only Flow project of this account (a UUID in the seeds).
    project_id: Annotated[str, Meta(min_length=1)]
    #: PAYGATE_TIER_NOT_PAID, PAYGATE_TIER_ONE or PAYGATE_TIER_TWO; a request that names another tier is refused.
    tier: str = "PAYGATE_TIER_ONE"
    #: How it answers about videos: with `operations`, as the documents say, or with `media`, as since May 2026.
    dialect: Literal["seed", "media"] = "seed"
    #: Credits at the first start; what was spent is in the journal.
    credits: Annotated[int, Meta(ge=0)] = 1000


DEFAULT_ACCOUNT = SandboxAccount(token="sandbox-flow-token", project_id="02ac868b-925f-40c1-9187-a688bd03a84d")  # noqa: S106 - it opens only the emulator


class SandboxRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The section `[sandbox]` of the configuration, and the argument of `create_sandbox`."""

    #: Whether `adapter serve` starts the sandbox beside itself.
    enabled: bool = False
    host: str = "127.0.0.1"
    #: 0 takes a free one.
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8001
    #: Folder of the journal and the uploaded pictures; empty keeps everything in memory.
    state: str = ""
    #: Gemini API keys that are accepted.
    api_keys: tuple[str, ...] = ("AIza-sandbox",)
    #: Days from which on a model of Gemini is not found any more, by its name.
    retirements: dict[str, date] = {}
    #: Flow accounts.
    accounts: tuple[SandboxAccount, ...] = (DEFAULT_ACCOUNT,)
    #: Google Cloud: a project and who may use it. Its API keys ("express") are those above.
    cloud: CloudRules = CloudRules()
    #: What a picture takes before it is drawn; Google's take 12 to 25.
    image_seconds: Seconds = 0.0
    #: How long a video job stays PENDING.
    pending_seconds: Seconds = 2.0
    #: How long it is then ACTIVE before it ends.
    active_seconds: Seconds = 8.0
    #: How long the file of a finished interaction is then PROCESSING.
    file_seconds: Seconds = 1.0
    #: Length of a video.
    clip_seconds: Annotated[float, Meta(ge=0.1, le=60)] = 8.0
    #: Pixels of a video's long edge; the short edge is 9/16 of it, both rounded down to even.
    clip_long_edge: Annotated[int, Meta(ge=64, le=1920)] = 1280
    #: How long a signed media link lives.
    link_seconds: Annotated[float, Meta(gt=0)] = 3600.0
    #: What one video costs, taken at its submit.
    video_credits: Annotated[int, Meta(ge=0)] = 20
