"""`x-ratelimit-…`: what is left of the limits of a key, on every answer to it.

Sources: OpenAI's guide on rate limits has the form of the headers and of the time, `6m0s`. OpenAI names requests and
tokens; the headers for images and videos are ours, in the same form.
"""

from collections.abc import Callable, Sequence
from contextvars import ContextVar

from adapter.domain.allowance import Remaining
from adapter.domain.ports import Quotas
from adapter.domain.principal import Principal
from adapter.openai_api.routes.drain import Pair

#: Returns the headers of the present request's key. It is asked when the answer begins: then its work is counted.
RATE_HEADERS: ContextVar[Callable[[], Sequence[Pair]] | None] = ContextVar("rate_headers", default=None)


async def announce(quotas: Quotas, principal: Principal) -> None:
    """Have the answer to a request say what is left of the limits of its key."""
    key, allowance = principal.key, principal.allowance
    if key is None or not allowance.is_limited:
        return
    await quotas.look(key, allowance)
    RATE_HEADERS.set(lambda: rate_headers(quotas.remaining(key, allowance)))


def rate_headers(several: Sequence[Remaining]) -> Sequence[Pair]:
    """Return the headers of some limits."""
    found: list[Pair] = []
    for each in several:
        values = {"limit": str(each.limit.most), "remaining": str(each.left), "reset": written_seconds(each.seconds)}
        found += [(f"x-ratelimit-{name}-{each.limit.kind}".encode(), value.encode()) for name, value in values.items()]
    # Pages may read them. In `cors.py` the names would be on the answers to all keys.
    return [*found, (b"access-control-expose-headers", b", ".join(name for name, _ in found))]


def written_seconds(seconds: float) -> str:
    """Write a time as OpenAI does: `30s`, `6m0s`, `11h59m30s`. It is rounded up."""
    minutes, rest = divmod(-int(-seconds // 1), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{text}{rest}s"
