"""Fault scripts: what the control API accepts, and which request gets which fault.

A fault happens to requests at its endpoint (`on`), `times` times, after `skip` matching requests were let through.
The first matching fault with times left wins. `Doing` explains each `do`.
"""

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Endpoint = Literal[
    "gemini.generate",
    "gemini.chat",
    "flow.images",
    "flow.submit",
    "flow.poll",
    "flow.upload",
    "flow.credits",
    "flow.media",
    "omni.submit",
    "omni.poll",
    "omni.upload",
    "omni.file",
    "omni.download",
    "cloud.token",
    "cloud.generate",
    "cloud.chat",
    "cloud.submit",
    "cloud.poll",
    "cloud.bucket",
    "media.get",
]

#: Faults that change the content of a real answer. An endpoint ignores those that do not concern its answers.
#:
#: - flat, nested, list, object: the shape of a status answer (metadata beside or under `operation`; bare list or
#:   object)
#: - omit: the status answer leaves out the first operation
#: - no_media: SUCCESSFUL without metadata; the media endpoint answers without the video
#: - wrong_mime: Gemini says image/jpeg for PNG bytes
#: - drafts: Gemini sends two image parts flagged `thought` before the final one
#: - lag: the credits do not include the charge for the newest video yet
ResponseMutation = Literal["flat", "nested", "list", "object", "omit", "no_media", "wrong_mime", "drafts", "lag"]

#: Faults of the line come before the work, or with `after` when the work was carried out and charged:
#:
#: - error: Google's body with `status` and `reason`
#: - html: an HTML page with `status`
#: - garbage: 200 with bytes that are not UTF-8
#: - hang: no answer until the client leaves
#: - drop: the connection is closed before an answer (on `running_sandbox`; elsewhere it hangs)
#: - delay: the answer comes `seconds` later
#:
#: Two need the real answer, so the work is always carried out:
#:
#: - truncate: Content-Length of the whole, half of the bytes, then the connection closes
#: - short: a well-formed HTTP answer that holds the first half of the bytes
Doing = Literal["error", "html", "garbage", "hang", "drop", "delay", "truncate", "short", ResponseMutation]


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One script; `skip` and `times` are counted down as requests come."""

    on: Endpoint
    do: Doing
    skip: Annotated[int, Meta(ge=0)] = 0
    times: Annotated[int, Meta(ge=0)] = 1
    #: Must occur in the request's prompt; for polls and downloads, in the prompt of the job.
    prompt: str = ""
    #: HTTP status of `error` and `html`.
    status: Annotated[int, Meta(ge=200, le=599)] = 503
    #: ErrorInfo reason of `error`, such as PUBLIC_ERROR_HIGH_TRAFFIC.
    reason: str = ""
    #: Message of `error`; Google's usual one for the status when empty.
    message: str = ""
    #: RetryInfo of `error`.
    retry_seconds: Annotated[float, Meta(ge=0)] | None = None
    #: Length of `delay`.
    seconds: Annotated[float, Meta(ge=0)] = 1.0
    after: bool = False


class Faults:
    """The scripts that were not used up yet, in the order of their arrival."""

    def __init__(self) -> None:
        self._scripts: list[Fault] = []

    def add(self, scripts: Iterable[Fault]) -> None:
        """Append scripts to those that are there."""
        self._scripts.extend(scripts)

    def clear(self) -> None:
        """Forget all scripts."""
        self._scripts.clear()

    def take(self, endpoint: Endpoint, prompt: str) -> Fault | None:
        """Return the fault for this request, and count it; None if there is none."""
        for fault in self._scripts:
            if fault.on != endpoint or fault.prompt not in prompt or not fault.times:
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            return fault
        return None
