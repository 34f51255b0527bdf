"""The calls of OpenAI's API that the commands need. A call that broke is repeated with its `Idempotency-Key`."""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar
from urllib.parse import quote

import msgspec

from adapter.client.event_lines import event_data
from adapter.client.failures import CommandFailed, ConnectionLost, NotReached, NotUnderstood, RequestRefused
from adapter.client.http import HttpRequest, ServerAnswer, ServerConnection
from adapter.client.wire import ImageCommand, Pictures, ProblemAnswer, VideoChange, VideoCommand, VideoStatus

_T = TypeVar("_T")

#: Seconds of silence while a picture is made, and while a server hands a video over to its provider.
PICTURE_SECONDS: Final = 900.0
ORDER_SECONDS: Final = 120.0
#: A stream of events is never silent for longer than `chat.heartbeat_seconds`, at most 30.
EVENT_SECONDS: Final = 75.0
#: Seconds before each further attempt, if the server does not say: for what begins work, and for what only looks.
PAUSES: Final = (1.0, 4.0)
PAUSES_OF_READING: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0)
#: Seconds between two looks at a video without a stream.
POLL_SECONDS: Final = 2.0
#: The longest `Retry-After` that is obeyed.
LONGEST_WAIT: Final = 60.0


def new_key() -> str:
    """Return an `Idempotency-Key` for one request and its repetitions."""
    return f"cli-{secrets.token_hex(8)}"


class MediaClient:
    """Pictures and videos of one server. `tell` gets a sentence before a wait."""

    def __init__(
        self,
        connection: ServerConnection,
        *,
        tell: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._tell = tell
        self._sleep = sleep
        self._has_events = True

    def make_images(self, command: ImageCommand, key: str) -> Pictures:
        """Have pictures made. The same key gets the same pictures."""
        path = "/v1/images/edits" if command.images else "/v1/images/generations"
        return self._begin(path, command, key, Pictures, PICTURE_SECONDS)

    def order_video(self, command: VideoCommand, key: str) -> VideoStatus:
        """Have a video made. The same key gets the same video."""
        return self._begin("/v1/videos", command, key, VideoStatus, ORDER_SECONDS)

    def find_video(self, video_id: str) -> VideoStatus:
        """Return a video as it is now."""
        request = HttpRequest(method="GET", path=_video_path(video_id))
        return self._read(lambda: _decoded(self._connection.ask(request), VideoStatus))

    def watch(self, video: VideoStatus) -> Iterator[VideoStatus]:
        """Yield a video, and again when it has changed, until it is over. A lost connection ends nothing."""
        last, seen = video, 0
        yield last
        while not last.is_over:
            for number, changed in self._changes(last.id, seen):
                seen = number
                if changed.place > last.place:  # a stream begins with the past
                    last = changed
                    yield last
            if not last.is_over:
                self._sleep(POLL_SECONDS)
                last = self.find_video(last.id)
                yield last

    def download(self, video_id: str, keep: Callable[[Iterable[bytes]], _T]) -> _T:
        """Hand the file of a finished video to `keep`, from its beginning again if the connection breaks."""
        request = HttpRequest(method="GET", path=f"{_video_path(video_id)}/content")

        def once() -> _T:
            with self._connection.open(request) as (answer, pieces):
                if answer.status != 200:
                    raise _refusal(msgspec.structs.replace(answer, body=b"".join(pieces)))
                return keep(pieces)

        return self._read(once)

    def _changes(self, video_id: str, seen: int) -> Iterator[tuple[int, VideoStatus]]:
        """Yield numbered changes after the one that was seen last, as long as the stream holds."""
        if not self._has_events:
            return
        path = f"{_video_path(video_id)}/events" + (f"?starting_after={seen}" if seen else "")
        request = HttpRequest(method="GET", path=path, silent_seconds=EVENT_SECONDS)
        try:
            with self._connection.open(request) as (answer, pieces):
                self._has_events = answer.status not in {404, 405, 501}
                for data in event_data(pieces if answer.status == 200 else ()):
                    change = msgspec.json.decode(data, type=VideoChange)
                    if change.video is not None:
                        yield change.sequence_number, change.video
        except msgspec.DecodeError:
            self._has_events = False
        except (ConnectionLost, NotReached):
            return

    def _begin(self, path: str, command: msgspec.Struct, key: str, answer: type[_T], silent_seconds: float) -> _T:
        request = HttpRequest(
            method="POST",
            path=path,
            headers={"content-type": "application/json", "idempotency-key": key},
            body=msgspec.json.encode(command),
            silent_seconds=silent_seconds,
        )
        return self._repeated(
            lambda: _decoded(self._connection.ask(request), answer), PAUSES, lambda fault: fault.is_passing
        )

    def _read(self, ask: Callable[[], _T]) -> _T:
        """Ask for something that is there already. A server that starts again is waited for."""
        return self._repeated(ask, PAUSES_OF_READING, lambda fault: fault.is_passing or isinstance(fault, NotReached))

    def _repeated(
        self, ask: Callable[[], _T], pauses: tuple[float, ...], is_passing: Callable[[CommandFailed], bool]
    ) -> _T:
        for pause in pauses:
            try:
                return ask()
            except CommandFailed as fault:
                if not is_passing(fault):
                    raise
                seconds = pause if fault.retry_after is None else min(fault.retry_after, LONGEST_WAIT)
                self._tell(f"{fault.message} The next attempt is in {seconds:.0f} s.")
                self._sleep(seconds)
        return ask()


def _video_path(video_id: str) -> str:
    return f"/v1/videos/{quote(video_id, safe='')}"


def _decoded(answer: ServerAnswer, kind: type[_T]) -> _T:
    if answer.status != 200:
        raise _refusal(answer)
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NotUnderstood("The answer is not one of OpenAI's API. Is this the address of an adapter?") from None


def _refusal(answer: ServerAnswer) -> RequestRefused:
    word = answer.headers.get("x-should-retry")
    return RequestRefused(
        _message(answer),
        status=answer.status,
        should_retry=None if word is None else word == "true",
        retry_after=_seconds(answer.headers.get("retry-after")),
    )


def _message(answer: ServerAnswer) -> str:
    try:
        message = msgspec.json.decode(answer.body, type=ProblemAnswer).error.message
    except (msgspec.DecodeError, UnicodeDecodeError):
        message = f"The server answered with status {answer.status}, and not as OpenAI's API does."
    return f"{message} ADAPTER_KEY or --key gives the key." if answer.status == 401 else message


def _seconds(header: str | None) -> float | None:
    """Return the seconds of a `Retry-After`; a date counts as none."""
    return float(header) if header is not None and header.isascii() and header.isdigit() else None
