"""Files are written whole or not at all, and never over another one."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from adapter.client.commands import image
from adapter.client.failures import ConnectionLost, NotWritten
from adapter.client.files import PICTURE_FORMATS, OutputFile, format_of, numbered, picture_address


def test_a_file_is_written_with_the_usual_rights(tmp_path: Path) -> None:
    """Those that every program's new files get."""
    (tmp_path / "usual").write_bytes(b"")
    OutputFile(tmp_path / "fox.png").write([b"he", b"llo"])

    assert (tmp_path / "fox.png").read_bytes() == b"hello"
    assert (tmp_path / "fox.png").stat().st_mode == (tmp_path / "usual").stat().st_mode
    assert sorted(each.name for each in tmp_path.iterdir()) == ["fox.png", "usual"]


def test_half_a_file_is_none(tmp_path: Path) -> None:
    """The connection broke; the old file stays."""

    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionLost("It broke.")

    (tmp_path / "fox.png").write_bytes(b"old")
    with pytest.raises(ConnectionLost):
        OutputFile(tmp_path / "fox.png", force=True).write(pieces())

    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("fox.png", b"old")]


def test_a_file_that_came_meanwhile_stays(tmp_path: Path) -> None:
    """Two commands were given one name."""
    path = tmp_path / "fox.png"
    file = OutputFile(path)
    file.check()
    path.write_bytes(b"other")
    with pytest.raises(NotWritten, match="--force replaces it"):
        file.write([b"new"])

    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("fox.png", b"other")]


def test_what_cannot_be_written_is_found_before_anything_is_paid_for(tmp_path: Path) -> None:
    """A name that is taken, too long, or in no folder."""
    (tmp_path / "fox.png").write_bytes(b"old")
    (tmp_path / "link.png").symlink_to("nowhere")
    for path, words in (
        (tmp_path / "fox.png", "exists. --force replaces it."),
        (tmp_path / "link.png", "exists. --force replaces it."),
        (tmp_path / "fox.png" / "fox.png", "cannot be a file: Not a directory"),
        (tmp_path / f"{'f' * 300}.png", "cannot be a file: File name too long"),
        (tmp_path, "is a folder"),
        (tmp_path / "nowhere" / "fox.png", "There is no folder"),
    ):
        with pytest.raises(click.UsageError, match=words):
            OutputFile(path).check()
    OutputFile(tmp_path / "fox.png", force=True).check()
    OutputFile(tmp_path / "fox.png", force=True).write([b"new"])

    assert (tmp_path / "fox.png").read_bytes() == b"new"


def test_the_name_says_the_format() -> None:
    """Another ending is refused with those that are allowed."""
    assert [format_of(Path(name), PICTURE_FORMATS) for name in ("a.PNG", "a.jpg", "a.webp")] == ["png", "jpeg", "webp"]
    with pytest.raises(click.UsageError, match=r"has to end in \.png or \.jpg or \.jpeg or \.webp"):
        format_of(Path("a.gif"), PICTURE_FORMATS)


def test_several_results_are_numbered() -> None:
    """One has the name itself."""
    assert numbered(Path("a/fox.png"), 1) == [Path("a/fox.png")]
    assert numbered(Path("a/fox.png"), 2) == [Path("a/fox-1.png"), Path("a/fox-2.png")]


def test_a_picture_is_a_file_or_an_address(tmp_path: Path) -> None:
    """An address goes to the server as it is."""
    (tmp_path / "fox.jpg").write_bytes(b"hi")

    assert picture_address("https://example.com/fox.png") == "https://example.com/fox.png"
    assert picture_address(str(tmp_path / "fox.jpg")) == "data:image/jpeg;base64,aGk="
    with pytest.raises(click.UsageError, match="cannot be read: No such file"):
        picture_address(str(tmp_path / "nothing.png"))


def test_a_device_is_not_read_for_ever() -> None:
    """A picture has an end."""
    with pytest.raises(click.UsageError, match="has more than 100 MB"):
        picture_address("/dev/zero")


def test_a_prompt_on_stdin_has_an_end(tmp_path: Path) -> None:
    """A pipe may have none."""
    told = CliRunner().invoke(image, ["-", "-o", str(tmp_path / "fox.png")], input="x" * 1_000_001)

    assert (told.exit_code, "has more than 1000000 bytes" in told.output) == (2, True)
