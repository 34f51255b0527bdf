"""What both commands take: a server, a file to write, and how to say it."""

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import click
import msgspec

from adapter.client.address import base_of

_T = TypeVar("_T")

DEFAULT_URL: Final = "http://127.0.0.1:8000"
#: Bytes of a prompt on stdin. No model takes so much, and a pipe may have no end.
LONGEST_PROMPT: Final = 1_000_000

_OPTIONS: Final = (
    click.option("--model", help="Model, as `adapter models` lists them. [default: the server's]"),
    click.option("--size", help="Shape or size, such as 16:9 or 1536x1024."),
    click.option("--seed", type=int, help="A number: the same number gives similar results."),
    click.option(
        "-i", "--image", "pictures", multiple=True, metavar="FILE", help="Picture to begin with; may come repeatedly."
    ),
    click.option("--force", is_flag=True, help="Replace a file that exists."),
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
    click.option("--idempotency-key", metavar="KEY", help="The same request with the same key is paid for once."),
    click.option(
        "--url",
        envvar="ADAPTER_URL",
        default=DEFAULT_URL,
        show_default=True,
        help="Address of the server; ADAPTER_URL names it as well.",
    ),
    click.option("--key", envvar="ADAPTER_KEY", help="Key of the server; better in ADAPTER_KEY."),
)


class Common(msgspec.Struct, frozen=True, kw_only=True):
    """The options of both commands, as they were given."""

    prompt: str | None
    output: str
    model: str | None
    size: str | None
    seed: int | None
    pictures: tuple[str, ...]
    force: bool
    as_json: bool
    idempotency_key: str | None
    url: str
    key: str | None

    @property
    def is_piped(self) -> bool:
        """Whether the result goes to stdout."""
        return self.output == "-"

    @property
    def path(self) -> Path:
        """The file to write."""
        return Path(self.output)

    @property
    def base(self) -> str:
        """The address of the server before `/v1`."""
        return base_of(self.url)

    @property
    def words(self) -> str:
        """The prompt, which is read from stdin if it is `-`.

        Raises:
            click.UsageError: it is empty.
        """
        words = _read_stdin() if self.prompt == "-" else self.prompt or ""
        if not words.strip():
            raise click.UsageError("The prompt is empty.")
        return words.strip()

    def check(self) -> None:
        """Check what goes into headers, so that a message never has to show it; and that stdout gets one thing.

        Raises:
            click.UsageError: a key has characters that no key has; or both a file and JSON go to stdout.
        """
        if self.is_piped and self.as_json:
            raise click.UsageError("-o - writes the file to stdout, and --json something else. Give one of them.")
        for name, value in (("--key", self.key), ("--idempotency-key", self.idempotency_key)):
            if value and not (value.isascii() and value.isprintable() and " " not in value):
                raise click.UsageError(f"The value of {name} has characters that no key has, such as spaces.")


def with_options(kind: type[_T]) -> Callable[[Callable[[_T], None]], Callable[..., None]]:
    """Give a command the common options, and all options as one argument of a type."""

    def decorated(command: Callable[[_T], None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**given: object) -> None:
            for name, value in given.items():
                _check_text(name, value)
            command(msgspec.convert(given, kind))

        for option in reversed(_OPTIONS):
            run = option(run)
        return run

    return decorated


def _read_stdin() -> str:
    try:
        words = sys.stdin.buffer.read(LONGEST_PROMPT + 1)
        if len(words) > LONGEST_PROMPT:
            raise click.UsageError(f"The prompt on stdin has more than {LONGEST_PROMPT} bytes.")
        return words.decode()
    except UnicodeDecodeError as error:
        raise click.UsageError("The prompt on stdin is not UTF-8.") from error


def _check_text(name: str, value: object) -> None:
    """Refuse an argument with bytes that are no text: JSON cannot carry it."""
    try:
        "".join(value if isinstance(value, tuple) else [value if isinstance(value, str) else ""]).encode()
    except UnicodeEncodeError as error:
        raise click.UsageError(f"The value of '{name}' is not UTF-8.") from error
