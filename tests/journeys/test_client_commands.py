"""`adapter image` and `adapter video`, as a person uses them: a process beside a running server."""

import json
import os
import signal
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image as Pillow

from adapter.client.options import DEFAULT_URL
from tests.fakes import png
from tests.journeys.server import KEY, START_SECONDS, Server, wait_until
from tests.programs import Program, run_program

MODEL = ("--model", "veo-3.1-fast")


def environ_of(server: Server, key: str = KEY) -> dict[str, str]:
    """Return an environment that names a server."""
    return os.environ | {"ADAPTER_URL": f"{server.url}/v1", "ADAPTER_KEY": key}


def run(server: Server, folder: Path, *arguments: str, key: str = KEY) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder."""
    return run_program(*arguments, folder=folder, environ=environ_of(server, key))


def video_id_in(said: str) -> str:
    """Return the id of the video that a command ordered."""
    return next(word for word in said.split() if word.startswith("video_"))


def test_a_picture_is_made_and_written(server: Server, tmp_path: Path) -> None:
    """Its file is what its name says, and stdout has nothing but the name."""
    done = run(server, tmp_path, "image", "a fox", "-o", "fox.jpg", "--size", "16:9")
    with Pillow.open(tmp_path / "fox.jpg") as picture:
        form = (picture.format, picture.width > picture.height)

    assert (done.returncode, done.stdout, done.stderr) == (0, "fox.jpg\n", "")
    assert form == ("JPEG", True)
    assert [each.name for each in tmp_path.iterdir()] == ["fox.jpg"]


def test_a_picture_goes_to_another_program(server: Server, tmp_path: Path) -> None:
    """The file `-` is stdout, which then has nothing else."""
    stdout, stderr = tmp_path / "stdout", tmp_path / "stderr"
    program = Program(
        ["image", "a fox", "-o", "-"], stdout=stdout, stderr=stderr, folder=tmp_path, environ=environ_of(server)
    )
    status = program.end(START_SECONDS)
    both = run(server, tmp_path, "image", "a fox", "-o", "-", "--json")
    several = run(server, tmp_path, "image", "a fox", "-o", "-", "-n", "2")

    assert (status, stderr.read_text()) == (0, "")
    with Pillow.open(stdout) as picture:
        picture.load()
        assert picture.format == "PNG"
    assert (both.returncode, "Give one of them." in both.stderr) == (2, True)
    assert (several.returncode, "writes one picture" in several.stderr) == (2, True)


def test_pictures_are_made_of_pictures_and_told_as_json(server: Server, tmp_path: Path, prompt: str) -> None:
    """Several are numbered."""
    (tmp_path / "fox.png").write_bytes(png(64, 64))
    done = run(server, tmp_path, "image", prompt, "-i", "fox.png", "-n", "2", "-o", "blue.png", "--json")

    told = json.loads(done.stdout)
    assert told["files"] == ["blue-1.png", "blue-2.png"]
    for name in told["files"]:
        with Pillow.open(BytesIO((tmp_path / name).read_bytes())) as picture:
            assert f"{picture.width}x{picture.height}" == told["size"]
    assert server.executed(prompt) == 2


def test_a_prompt_is_read_from_stdin_if_it_is_a_dash(server: Server, tmp_path: Path) -> None:
    """The programs of these tests have an empty one."""
    done = run(server, tmp_path, "image", "-", "-o", "fox.png")

    assert (done.returncode, "The prompt is empty." in done.stderr) == (2, True)


def test_a_video_is_made_watched_and_written(server: Server, tmp_path: Path, prompt: str) -> None:
    """Progress goes to stderr, the name of the file to stdout."""
    done = run(server, tmp_path, "video", prompt, "-o", "waves.mp4", *MODEL)

    assert (done.returncode, done.stdout) == (0, "waves.mp4\n")
    assert (tmp_path / "waves.mp4").read_bytes()[4:8] == b"ftyp"
    lines = done.stderr.splitlines()
    assert lines[0].split()[:4] == [video_id_in(lines[0]), "veo-3.1-fast", "8", "s"]
    assert lines[-1] == "completed  100 %"


def test_an_interrupted_video_is_resumed(server: Server, tmp_path: Path, prompt: str) -> None:
    """The message has the whole command, and the video is paid for once."""
    said = tmp_path / "said"
    arguments = ["video", prompt, "-o", "my waves.mp4", *MODEL]
    program = Program(arguments, stdout=tmp_path / "out", stderr=said, folder=tmp_path, environ=environ_of(server))
    wait_until(lambda: said.exists() and "video_" in said.read_text(), "the command ordered no video")
    program.send(signal.SIGINT)
    status = program.end(START_SECONDS)
    video_id = video_id_in(said.read_text())
    hint = f"adapter video --resume {video_id} -o 'my waves.mp4' --url {server.url}"
    resumed = run(server, tmp_path, "video", "--resume", video_id, "-o", "my waves.mp4", "--json")

    assert status == 130
    assert said.read_text().splitlines()[-1] == f"Interrupted. The server goes on. To get the video: {hint}"
    assert json.loads(resumed.stdout) | {"usage": None} == {
        "files": ["my waves.mp4"],
        "id": video_id,
        "model": "veo-3.1-fast",
        "size": "1280x720",
        "seconds": "8",
        "usage": None,
    }
    assert server.executed(prompt) == 1


def test_a_watching_command_outlasts_a_restart_of_the_server(tmp_path: Path, prompt: str) -> None:
    """It asks until there is a server, and the video is paid for once."""
    (tmp_path / "server").mkdir()
    server = Server(tmp_path / "server", active_seconds=3.0)
    server.start()
    out, said = tmp_path / "out", tmp_path / "said"
    arguments = ["video", prompt, "-o", "waves.mp4", *MODEL]
    program = Program(arguments, stdout=out, stderr=said, folder=tmp_path, environ=environ_of(server))
    wait_until(lambda: said.exists() and "video_" in said.read_text(), "the command ordered no video")
    server.kill()
    server.start()
    status = program.end(START_SECONDS)

    assert (status, out.read_text()) == (0, "waves.mp4\n"), said.read_text()
    assert (tmp_path / "waves.mp4").read_bytes()[4:8] == b"ftyp"
    assert server.executed(prompt) == 1
    assert server.stop() == 0


def test_what_is_no_text_is_refused(server: Server, tmp_path: Path) -> None:
    """Bytes of an old encoding, as an argument."""
    done = run(server, tmp_path, "image", "f\udcfcchse", "-o", "fox.png")

    assert done.returncode == 2
    assert "The value of 'prompt' is not UTF-8." in done.stderr


def test_a_command_with_one_idempotency_key_is_paid_for_once(server: Server, tmp_path: Path, prompt: str) -> None:
    """It gets the same picture."""
    for name in ("one.png", "two.png"):
        done = run(server, tmp_path, "image", prompt, "-o", name, "--idempotency-key", prompt.replace(" ", "-"))
        assert done.returncode == 0, done.stderr

    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert server.executed(prompt) == 1


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("image", "a fox", "-o", "fox.gif"), 2, "has to end in .png or .jpg"),
        (("image", "a fox", "-o", "old.png"), 2, "old.png exists. --force replaces it."),
        (("image", "a fox", "-o", "fox.png", "-i", "nothing.png"), 2, "The picture nothing.png cannot be read"),
        (("image", "a fox", "-o", "fox.png", "--model", "nope"), 1, "Error: The model 'nope' does not exist here."),
        (("image", "a fox", "-o", "fox.png", "--key", "sk-nope"), 1, "ADAPTER_KEY or --key gives the key."),
        (("image", "a fox", "-o", "fox.png", "--key", "sk nope"), 2, "--key has characters that no key has"),
        (("video", "waves", "-o", "waves.mp4", "--seconds", "5", *MODEL), 1, "Error: "),
        (("video", "--resume", "video_1", "-o", "waves.mp4"), 1, "Error: "),
        (("video", "waves", "--resume", "video_1", "-o", "waves.mp4"), 2, "it takes no prompt"),
        (("video", "-o", "waves.mp4"), 2, "The prompt is empty."),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    server: Server, tmp_path: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    """No traceback, no file, no key, nothing paid."""
    (tmp_path / "old.png").write_bytes(b"old")
    before = server.executions()
    done = run(server, tmp_path, *arguments)

    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "nope" not in done.stderr or "--model" in arguments
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("old.png", b"old")]
    assert server.executions() == before


def test_a_video_that_failed_says_why(server: Server, tmp_path: Path, prompt: str) -> None:
    """The words are the server's."""
    done = run(server, tmp_path, "video", f"{prompt} [fails]", "-o", "waves.mp4", *MODEL)

    assert done.returncode == 1
    assert "Error: " in done.stderr
    assert not (tmp_path / "waves.mp4").exists()


def test_without_a_server_it_says_where_it_looked(tmp_path: Path) -> None:
    """The usual address is that of `adapter serve`."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ADAPTER_")}
    done = run_program(
        "image", "a fox", "-o", "fox.png", "--url", "http://127.0.0.1:9", folder=tmp_path, environ=environ
    )

    assert done.returncode == 1
    assert "There is no connection to http://127.0.0.1:9: Connection refused." in done.stderr
    assert DEFAULT_URL in run_program("image", "--help", folder=tmp_path, environ=environ).stdout
