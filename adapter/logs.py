"""Logs: set up once, JSON off a terminal, readable on one, and no secret in either."""

import logging
import sys
from contextlib import suppress
from io import TextIOBase
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from adapter.redaction import without_secrets


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank every secret in every text of a line, the traceback included."""
    return {name: without_secrets(value) if isinstance(value, str) else value for name, value in event.items()}


def drop_empty(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop empty fields."""
    return {name: value for name, value in event.items() if value is not None}


class Steadfast(TextIOBase):
    """A stream that ignores its own failures: a full disk or a closed pipe must not stop the program."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or do not."""
        with suppress(OSError, ValueError):
            return self._stream.write(text)
        return 0

    def flush(self) -> None:
        """Flush, or do not."""
        with suppress(OSError, ValueError):
            self._stream.flush()


def configure_logs(stream: TextIO = sys.stderr) -> None:
    """Set up structlog, and silence libraries that print URLs: a Gemini key can stand in one."""
    readable = stream.isatty()
    renderer: Processor = structlog.processors.JSONRenderer()
    if readable:
        renderer = structlog.dev.ConsoleRenderer(sort_keys=False, pad_event_to=0)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if readable else "iso", utc=not readable),
            structlog.processors.format_exc_info,
            drop_empty,
            redact,
            renderer,
        ],
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", Steadfast(stream))),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    for name in ("httpx", "httpcore", "alembic", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
