"""`adapter image` and `adapter video`: make something with a running adapter, and write it to a file."""

import base64
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
import msgspec
from msgspec import UNSET, UnsetType

from adapter.client.api import MediaClient, new_key
from adapter.client.failures import CommandFailed, NotReached, NotUnderstood, VideoFailed
from adapter.client.files import (
    PICTURE_FORMATS,
    VIDEO_FORMATS,
    OutputFile,
    StandardOutput,
    format_of,
    numbered,
    picture_address,
)
from adapter.client.http import ServerConnection
from adapter.client.options import DEFAULT_URL, Common, with_options
from adapter.client.progress import show_progress
from adapter.client.wire import ImageCommand, InputPicture, Picture, VideoCommand, VideoStatus

#: The exit status of a program that was interrupted: 128 and the number of the signal.
INTERRUPTED = 130


class ImageArguments(Common, frozen=True, kw_only=True):
    """The options of `adapter image`."""

    count: int
    quality: str | None


class VideoArguments(Common, frozen=True, kw_only=True):
    """The options of `adapter video`."""

    seconds: int | None
    resume: str | None


class WrittenImages(msgspec.Struct, frozen=True, kw_only=True):
    """What `adapter image --json` prints. `usage` is the server's."""

    files: list[str]
    size: str | None
    usage: msgspec.Raw | UnsetType = UNSET


class WrittenVideo(msgspec.Struct, frozen=True, kw_only=True):
    """What `adapter video --json` prints. `usage` is the server's."""

    files: list[str]
    id: str
    model: str
    size: str
    seconds: str
    usage: msgspec.Raw | UnsetType = UNSET


@click.command()
@click.argument("prompt")
@click.option(
    "-o", "--output", required=True, type=click.Path(), help="File to write: .png, .jpg or .webp; - is stdout."
)
@click.option("-n", "--n", "count", type=click.IntRange(1, 10), default=1, help="How many: fox-1.png, fox-2.png …")
@click.option("--quality", help="low, medium or high, where --size says no resolution.")
@with_options(ImageArguments)
def image(options: ImageArguments) -> None:
    """Make a picture of PROMPT with a running adapter. `-` reads the prompt from stdin.

    With --image it changes or combines pictures.
    """
    files = _image_files(options)
    command = _image_command(options)
    options.check()
    for file in files:
        file.check()
    key = options.idempotency_key or new_key()
    with ServerConnection(options.base, options.key) as connection, _coming_back(_again(key)):
        made = MediaClient(connection, tell=_tell).make_images(command, key)
        contents = [_decoded(picture) for picture in made.data]
        if len(contents) != len(files):
            raise NotUnderstood(f"The server sent {len(contents)} pictures in place of {len(files)}.")
        for file, content in zip(files, contents, strict=True):
            file.write([content])
    names = [str(path) for path in numbered(options.path, options.count)]
    _print(options, names, WrittenImages(files=names, size=made.size, usage=made.usage))


def _image_files(options: ImageArguments) -> Sequence[OutputFile | StandardOutput]:
    if not options.is_piped:
        return [OutputFile(path, options.force) for path in numbered(options.path, options.count)]
    if options.count > 1:
        raise click.UsageError("-o - writes one picture.")
    return [StandardOutput()]


def _image_command(options: ImageArguments) -> ImageCommand:
    return ImageCommand(
        prompt=options.words,
        output_format="png" if options.is_piped else format_of(options.path, PICTURE_FORMATS),
        n=options.count,
        model=options.model or UNSET,
        size=options.size or UNSET,
        quality=options.quality or UNSET,
        seed=UNSET if options.seed is None else options.seed,
        images=_pictures(options) or UNSET,
    )


def _pictures(options: Common) -> tuple[InputPicture, ...]:
    return tuple(InputPicture(picture_address(given)) for given in options.pictures)


def _decoded(picture: Picture) -> bytes:
    try:
        content = base64.b64decode(picture.b64_json or "", validate=True)
    except ValueError:
        content = b""
    if not content:
        raise NotUnderstood("The server's answer has no picture in it.")
    return content


@click.command()
@click.argument("prompt", required=False)
@click.option("-o", "--output", required=True, type=click.Path(), help="File to write: .mp4; - is stdout.")
@click.option("--seconds", type=click.IntRange(1), help="Length. [default: the model's]")
@click.option("--resume", metavar="ID", help="Wait for a video that was ordered before, and write it.")
@with_options(VideoArguments)
def video(options: VideoArguments) -> None:
    """Make a video of PROMPT with a running adapter. `-` reads the prompt from stdin.

    One --image is the first frame, two are the first and the last frame, three are references. An interrupted command
    loses nothing: the video is made all the same, and --resume writes it.
    """
    file = StandardOutput() if options.is_piped else OutputFile(options.path, options.force)
    if not options.is_piped:
        format_of(options.path, VIDEO_FORMATS)
    options.check()
    if options.resume:
        _check_resumption(options)
    file.check()
    with ServerConnection(options.base, options.key) as connection:
        client = MediaClient(connection, tell=_tell)
        video_id = options.resume or _ordered(client, options)
        with _coming_back(_resume(video_id, options), NotReached):
            made = _finished(client, video_id)
            client.download(video_id, file.write)
    written = WrittenVideo(
        files=[options.output], id=made.id, model=made.model, size=made.size, seconds=made.seconds, usage=made.usage
    )
    _print(options, written.files, written)


def _video_command(options: VideoArguments) -> VideoCommand:
    return VideoCommand(
        prompt=options.words,
        model=options.model or UNSET,
        size=options.size or UNSET,
        seconds=UNSET if options.seconds is None else str(options.seconds),
        seed=UNSET if options.seed is None else options.seed,
        input_reference=_pictures(options) or UNSET,
    )


def _check_resumption(options: VideoArguments) -> None:
    """Refuse what a video that was ordered before cannot get any more."""
    wishes = (options.prompt, options.model, options.size, options.seconds, options.seed, options.pictures or None)
    if any(wish is not None for wish in wishes):
        raise click.UsageError("--resume waits for a video that was ordered before: it takes no prompt and no wishes.")


def _ordered(client: MediaClient, options: VideoArguments) -> str:
    """Order a video and return its id."""
    command, key = _video_command(options), options.idempotency_key or new_key()
    with _coming_back(_again(key)):
        ordered = client.order_video(command, key)
    _tell(f"{ordered.id}  {ordered.model}  {ordered.seconds} s  {ordered.size}")
    return ordered.id


def _finished(client: MediaClient, video_id: str) -> VideoStatus:
    """Wait for the end of a video and return it as it is then."""
    found = client.find_video(video_id)
    made = show_progress(client.watch(found)) or found
    if made.status == "failed":
        reason = made.error.message if made.error else "The server does not say why."
        raise VideoFailed(f"There is no video: {reason}")
    return made


def _again(key: str) -> str:
    return f"The same command with `--idempotency-key {key}` gets the same result, and pays for it once."


def _resume(video_id: str, options: VideoArguments) -> str:
    words = ["adapter", "video", "--resume", video_id, "-o", options.output]
    if options.url != DEFAULT_URL:
        words += ["--url", options.base]
    return f"The server goes on. To get the video: {shlex.join(words)}"


@contextmanager
def _coming_back(hint: str, *further: type[CommandFailed]) -> Iterator[None]:
    """Say how to come back, if the command ends while there may be a result at the server."""
    try:
        yield
    except KeyboardInterrupt:
        _tell(f"Interrupted. {hint}")
        sys.exit(INTERRUPTED)
    except CommandFailed as fault:
        if fault.is_kept or isinstance(fault, further):
            fault.hint = hint
        raise


def _print(options: Common, names: list[str], written: WrittenImages | WrittenVideo) -> None:
    if not options.is_piped:
        click.echo(msgspec.json.encode(written).decode() if options.as_json else "\n".join(names))


def _tell(message: str) -> None:
    click.echo(message, err=True)
