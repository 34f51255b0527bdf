"""What an execution spends, and whose it is."""

import msgspec


class Spending(msgspec.Struct, frozen=True, kw_only=True):
    """One execution that is accepted: what a budget counts."""

    owner: str
    #: The id of the key (see `Principal`); None without a key.
    key: str | None
    #: The name of the model that the client used, and the provider that serves it.
    model: str
    provider: str
    #: `image` or `video`.
    kind: str
    #: Pictures, or seconds of video.
    units: int
