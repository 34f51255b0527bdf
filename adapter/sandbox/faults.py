"""Scripts of misfortune: what the control API takes, and which request meets which.

A fault happens to requests at its desk (`on`), after `skip` matching ones were let through, `times` times. The first
matching fault with times left wins. What each `do` means is told in `Doing`.
"""

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Desk = Literal["gemini.generate", "flow.images", "flow.submit", "flow.poll", "flow.upload", "media.get"]

Twist = Literal["flat", "nested", "list", "object", "omit", "no_media", "wrong_mime", "drafts"]
"""Faults that change the content of a real answer; a desk ignores those that are not about its answers.

- flat, nested, list, object: the shape of a status answer (metadata beside or under `operation`; bare list or object)
- omit: the status answer leaves out the first operation
- no_media: SUCCESSFUL without metadata
- wrong_mime: Gemini says image/jpeg for PNG bytes
- drafts: Gemini sends two image parts flagged `thought` before the final one
"""

Doing = Literal["error", "html", "garbage", "hang", "drop", "delay", "truncate", "short", Twist]
"""Faults of the line come before the work, or with `after` when the work was carried out and charged:

- error: Google's body with `status` and `reason`
- html: an HTML page with `status`
- garbage: 200 with bytes that are not UTF-8
- hang: no answer until the client leaves
- drop: the connection is closed before an answer (on `running_sandbox`; elsewhere it hangs)
- delay: the answer comes `seconds` later

Two need the real answer, so the work is always carried out:

- truncate: Content-Length of the whole, half of the bytes, then the connection closes
- short: a well-formed HTTP answer that holds the first half of the bytes
"""


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One script; `skip` and `times` are counted down as requests come."""

    on: Desk
    do: Doing
    skip: Annotated[int, Meta(ge=0)] = 0
    times: Annotated[int, Meta(ge=0)] = 1
    prompt: str = ""
    """Must occur in the request's prompt; for polls and downloads, in the prompt of the job."""
    status: Annotated[int, Meta(ge=200, le=599)] = 503
    """HTTP status of `error` and `html`."""
    reason: str = ""
    """ErrorInfo reason of `error`, such as PUBLIC_ERROR_HIGH_TRAFFIC."""
    message: str = ""
    """Message of `error`; Google's usual one for the status when empty."""
    retry_seconds: Annotated[float, Meta(ge=0)] | None = None
    """RetryInfo of `error`."""
    seconds: Annotated[float, Meta(ge=0)] = 1.0
    """Length of `delay`."""
    after: bool = False


class Faults:
    """The scripts that are still to happen, in the order they came."""

    def __init__(self) -> None:
        """Nothing goes wrong at first."""
        self._scripts: list[Fault] = []

    def add(self, scripts: Iterable[Fault]) -> None:
        """More scripts, after those that are there."""
        self._scripts.extend(scripts)

    def clear(self) -> None:
        """No more misfortune."""
        self._scripts.clear()

    def take(self, desk: Desk, prompt: str) -> Fault | None:
        """The fault that this request meets, counted; None when it meets none."""
        for fault in self._scripts:
            if fault.on != desk or fault.prompt not in prompt or not fault.times:
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            return fault
        return None
