"""Logs: set up once, JSON off a terminal, readable on one, no secret and no long field in either."""

import json
import logging
import sys
import time
from datetime import UTC, datetime
from io import TextIOBase
from typing import Final, TextIO, cast

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from adapter.redaction import may_have_secret, without_secrets

#: Bytes of a field as JSON, and how many characters are left of a longer one: the end of a traceback says the most.
LONGEST_FIELD: Final = 2048
KEPT: Final = (1800, 900, 450, 150)
#: Characters of a text that is never too long: one takes 12 bytes at most.
PLAIN: Final = LONGEST_FIELD // 12
#: Bits of a number. Python does not write numbers of more than 4300 digits.
LONGEST_NUMBER: Final = 128
#: Characters of a text that are looked at for secrets.
LOOKED_AT: Final = 16 * 1024


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank every secret in every text of a line, the traceback included, and shorten what is long."""
    return {name: _fit(value) for name, value in event.items()}


def _fit(value: object) -> object:
    """Return a value without secrets and of bounded length. One of several parts that is not fit becomes a text."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if value.bit_length() <= LONGEST_NUMBER else hex(value)[:LONGEST_NUMBER]
    text = value if isinstance(value, str) else repr(value)
    fit = _shortened(without_secrets(_ends(text, LOOKED_AT)))
    return value if fit == text else fit


def _shortened(text: str) -> str:
    if len(text) <= PLAIN or _size(text) <= LONGEST_FIELD:
        return text
    return next(short for kept in KEPT if _size(short := _ends(text, kept)) <= LONGEST_FIELD)


def _size(text: str) -> int:
    return len(json.dumps(text))


def _ends(text: str, kept: int) -> str:
    """Return so many characters of a text: a quarter from its beginning, the rest from its end."""
    return text if len(text) <= kept else f"{text[: kept // 4]} … {text[-(kept - kept // 4) :]}"


#: Types of values that msgspec may write. What others become is decided by the other encoder.
_SIMPLE: Final = frozenset({str, int, float, bool})
#: Writes ASCII, whatever is in a line.
_encoder: Final = json.JSONEncoder(default=repr)


def render(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Return a line of JSON: without empty fields, redacted.

    Most lines have nothing to hide and nothing long, which the finished line shows. The others are written again.
    """
    told = {name: value for name, value in event.items() if value is not None}
    try:
        line = _simple_line(told) if _SIMPLE.issuperset(map(type, told.values())) else ""
    except ValueError:  # a number or a letter that it does not write
        line = ""
    # A letter beyond ASCII could belong to the sign of a secret: `K` has a second form, for kelvin.
    if line and len(line) <= LONGEST_FIELD and line.isascii() and not may_have_secret(line):
        return line
    return _encoder.encode({name: _fit(value) for name, value in told.items()})


def _simple_line(told: EventDict) -> str:
    """Return a line of simple values with the blanks of Python's encoder, in a quarter of its time."""
    return msgspec.json.format(msgspec.json.encode(told), indent=0).decode()


def drop_empty(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop empty fields."""
    return {name: value for name, value in event.items() if value is not None}


class Steadfast(TextIOBase):
    """A stream that ignores its own failures: a full disk or a closed pipe must not stop the program."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or do not."""
        try:  # `suppress` is three calls, for each line
            return self._stream.write(text)
        except (OSError, ValueError):
            return 0

    def flush(self) -> None:
        """Flush, or do not."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            return


#: By the names of the methods that write.
_LEVELS: Final = {name.lower(): level for name, level in logging.getLevelNamesMapping().items()}


class _Heading:
    """Adds the level, the time and the traceback to a line: one processor, as each line has all three.

    It drops lines below the lowest level that is written: structlog keeps the methods of a logger that was used.
    """

    def __init__(self) -> None:
        self.level = logging.INFO
        self.is_readable = False

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Let a line pass, or drop it."""
        if _LEVELS[method] < self.level:
            raise structlog.DropEvent
        event["level"] = method
        event["timestamp"] = time.strftime("%H:%M:%S") if self.is_readable else _written_now()
        return structlog.processors.format_exc_info(logger, method, event) if "exc_info" in event else event


def _written_now() -> str:
    written: str = msgspec.to_builtins(datetime.now(UTC))
    return written


_heading: Final = _Heading()


def set_log_level(name: str) -> None:
    """Write lines of this level and above from now on: debug, info, warning or error."""
    _heading.level = _LEVELS[name]


#: A warning of a library that repeats itself is written once in so many seconds.
REPEAT_SECONDS: Final = 60.0


class LibraryHandler(logging.Handler):
    """Writes warnings of libraries as lines of our log, so that they are JSON too, and have no secret in them.

    What a library says again and again, for each request of a client or as long as a server cannot be reached, is
    written once a minute. It is recognised by its line of code.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._written: dict[tuple[str, int], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line (the method of that name of `logging`)."""
        place, at = (record.pathname, record.lineno), record.created
        if abs(at - self._written.get(place, 0.0)) < REPEAT_SECONDS:
            return
        self._written[place] = at
        write = structlog.get_logger().error if record.levelno >= logging.ERROR else structlog.get_logger().warning
        write("library.warning", library=record.name, message=_message(record), exc_info=record.exc_info or None)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # a library's own mistake
        return str(record.msg)


_libraries: Final = LibraryHandler()


def configure_logs(stream: TextIO = sys.stderr) -> None:
    """Set up structlog, and the logs of libraries. Those that print URLs are silent: a Gemini key can stand in one."""
    readable = stream.isatty()
    rendering: list[Processor] = [render]
    if readable:
        rendering = [drop_empty, redact, structlog.dev.ConsoleRenderer(sort_keys=False, pad_event_to=0)]
    _heading.is_readable = readable
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _heading, *rendering],
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", Steadfast(stream))),
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        cache_logger_on_first_use=True,
    )
    logging.getLogger().addHandler(_libraries)
    for name in ("httpx", "httpcore", "alembic", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
