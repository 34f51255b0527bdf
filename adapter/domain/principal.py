"""Who sends a request."""

import msgspec

from adapter.domain.allowance import UNLIMITED, Allowance


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """The owner of what a request makes, and the key that it came with."""

    #: Videos, files and responses belong to it. It is a name that outlives its keys, or the digest of a single key.
    owner: str
    #: The id of the key, which is no secret: the name of a key in the database, or the reference of a configured one.
    #: None without a key.
    key: str | None = None
    #: What the key may do.
    allowance: Allowance = UNLIMITED
