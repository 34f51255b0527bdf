"""Files of a person: pictures to send, and results to write."""

import base64
import mimetypes
import os
import secrets
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

import click
import msgspec

from adapter.client.failures import NotWritten

#: What a name ends in, and OpenAI's word for the format.
PICTURE_FORMATS: Final = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}
#: Bytes of a picture that is sent. A server takes less; this keeps a device such as /dev/zero from being read for ever.
LARGEST_PICTURE: Final = 100_000_000
VIDEO_FORMATS: Final = {".mp4": "mp4"}


class OutputFile(msgspec.Struct, frozen=True):
    """A file to be written, whole or not at all."""

    path: Path
    #: Whether a file of this name may be replaced.
    force: bool = False

    def check(self) -> None:
        """Find before anything is paid for what would fail later.

        Raises:
            click.UsageError: the file is there, or its folder is not, or takes no file.
        """
        folder = self.path.parent
        if self._is_there() and self.path.is_dir():
            raise click.UsageError(f"{self.path} is a folder.")
        if self._is_there() and not self.force:
            raise click.UsageError(f"{self.path} exists. --force replaces it.")
        if not folder.is_dir():
            raise click.UsageError(f"There is no folder {folder}.")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise click.UsageError(f"The folder {folder} cannot be written to.")

    def _is_there(self) -> bool:
        """Say whether the name is taken, also by a link that leads nowhere."""
        try:
            self.path.lstat()
        except FileNotFoundError:
            return False
        except OSError as error:  # such as a name that is too long
            raise click.UsageError(f"{self.path} cannot be a file: {error.strerror}.") from error
        return True

    def write(self, pieces: Iterable[bytes]) -> None:
        """Write the file. Its name appears when all is written.

        Raises:
            NotWritten: the disk is full, or a file of this name came meanwhile.
        """
        part = self.path.with_name(f".adapter-{secrets.token_hex(8)}.part")
        try:
            with part.open("xb") as file:
                for piece in pieces:
                    file.write(piece)
            if self.force:
                part.replace(self.path)
            else:
                _give_name(part, self.path)
        except OSError as error:
            raise NotWritten(f"{self.path} cannot be written: {error.strerror}.") from error
        finally:
            part.unlink(missing_ok=True)


class StandardOutput(msgspec.Struct, frozen=True):
    """Where a result goes if the file is `-`: to another program."""

    def check(self) -> None:
        """Find before anything is paid for what would fail later.

        Raises:
            click.UsageError: a person would see the bytes.
        """
        if sys.stdout.isatty():
            raise click.UsageError("-o - writes to another program. This is a terminal, so name a file.")

    def write(self, pieces: Iterable[bytes]) -> None:
        """Write it all when it is all there: a download that breaks begins anew.

        Raises:
            NotWritten: the other program has ended, or the disk is full.
        """
        try:
            with TemporaryFile() as whole:
                for piece in pieces:
                    whole.write(piece)
                whole.seek(0)
                shutil.copyfileobj(whole, sys.stdout.buffer)
                sys.stdout.buffer.flush()
        except OSError as error:
            raise NotWritten(f"stdout cannot be written: {error.strerror}.") from error


def _give_name(part: Path, path: Path) -> None:
    """Give a file its name, unless there is such a file. A second name can be made in one step; a rename replaces."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise NotWritten(f"{path} was made meanwhile by another program. --force replaces it.") from None
    except OSError:  # a file system without hard links
        if path.exists():
            raise
        part.replace(path)


def format_of(path: Path, formats: dict[str, str]) -> str:
    """Return the format that a name asks for.

    Raises:
        click.UsageError: no format has such a name.
    """
    if (found := formats.get(path.suffix.lower())) is None:
        raise click.UsageError(f"The name of the file, {path.name}, has to end in {' or '.join(formats)}.")
    return found


def numbered(path: Path, count: int) -> list[Path]:
    """Return a name for each of several results: `fox-1.png`, `fox-2.png`; one result has the name itself."""
    if count == 1:
        return [path]
    return [path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(1, count + 1)]


def picture_address(given: str) -> str:
    """Return the address of a picture: an https address as it is, a file as a `data:` URL.

    Raises:
        click.UsageError: the file cannot be read.
    """
    if given.startswith(("https://", "http://", "data:")):
        return given
    try:
        with Path(given).open("rb") as file:
            content = file.read(LARGEST_PICTURE + 1)
    except OSError as error:
        raise click.UsageError(f"The picture {given} cannot be read: {error.strerror}.") from error
    if len(content) > LARGEST_PICTURE:
        raise click.UsageError(f"The picture {given} has more than {LARGEST_PICTURE // 1_000_000} MB.")
    kind = mimetypes.guess_type(given)[0] or "image/png"
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
