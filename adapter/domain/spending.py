"""What an execution spends, and whose it is."""

import msgspec

from adapter.domain.usage import Cost


class Spending(msgspec.Struct, frozen=True, kw_only=True):
    """One execution that is accepted: what a budget counts."""

    owner: str
    #: The id of the key (see `Principal`); None without a key.
    key: str | None
    #: The name of the model that the client used, and the provider that serves it.
    model: str
    provider: str
    #: `image` or `video`; `text` for the limits of keys only.
    kind: str
    #: Pictures, seconds of video, or texts.
    units: int
    #: What it costs by the price list, before it is known what the provider counts; None: unknown, which is not free.
    cost: Cost | None = None
