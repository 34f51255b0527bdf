"""A run of the tests that stands still ends by itself and shows where it stood."""

import subprocess
import sys
import tomllib
from pathlib import Path
from textwrap import dedent

from tests.guard import SHOW_SECONDS
from tests.support import ROOT

#: For how long an inner run may do nothing, in seconds. Only a run without a guard is still there then.
PATIENCE = 120


def run(
    folder: Path, test: str, *options: str, show: float = 60.0, end: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run one file of tests under our guard, in a process of its own."""
    conftest = f"""
    import sys
    import pytest
    sys.path.insert(0, {str(ROOT)!r})
    from tests.guard import Guard, end_within

    def pytest_configure(config):
        config.guard = Guard()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(item):
        with item.config.guard.watching(item.nodeid, {show}):
            return (yield)

    def pytest_unconfigure():
        end_within({end})
    """
    (folder / "conftest.py").write_text(dedent(conftest))
    (folder / "test_inner.py").write_text(dedent(test))
    settings = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
    (folder / "pytest.ini").write_text(settings)
    without = [f"-pno:{plugin}" for plugin in ("cacheprovider", "xdist", "langsmith_plugin")]
    command = [sys.executable, "-m", "pytest", "-q", *without, *options, "."]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)


def options() -> dict[str, object]:
    """Return what `pyproject.toml` says to pytest."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        found: dict[str, object] = tomllib.load(file)["tool"]["pytest"]["ini_options"]
        return found


def test_a_test_that_waits_for_ever_ends_the_run_and_is_named(tmp_path: Path) -> None:
    """Also one that lost its cancellation, which no time limit inside of it would end."""
    ended = run(
        tmp_path,
        """
        import asyncio

        async def is_deaf():
            while True:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    pass

        async def test_waits():
            async with asyncio.timeout(0.05):
                await asyncio.create_task(is_deaf())
        """,
        "-o",
        "faulthandler_timeout=6",
        "-o",
        f"faulthandler_exit_on_timeout={options()['faulthandler_exit_on_timeout']}",
        show=2.0,
    )

    assert ended.returncode == 1
    assert "test_inner.py::test_waits stands still" in ended.stderr
    assert "in is_deaf" in ended.stderr
    assert "Timeout" in ended.stderr


def test_a_thread_that_is_left_behind_ends_the_run_and_is_named(tmp_path: Path) -> None:
    """Python waits for it after the last test, when pytest does not look any more."""
    ended = run(
        tmp_path,
        """
        import threading

        def left_behind():
            threading.Event().wait()

        def test_passes():
            threading.Thread(target=left_behind).start()
        """,
        end=0.5,
    )

    assert "1 passed" in ended.stdout
    assert ended.returncode == 1
    assert "left_behind" in ended.stderr


def test_a_run_that_ends_by_itself_ends_well(tmp_path: Path) -> None:
    """The guard is silent then."""
    ended = run(tmp_path, "def test_passes():\n    pass\n")

    assert (ended.returncode, ended.stderr) == (0, "")


def test_our_own_run_has_the_guard() -> None:
    """Each test has a limit, and the hook stands in the `conftest.py` of all tests."""
    limit = options()["faulthandler_timeout"]

    assert isinstance(limit, int)
    assert limit <= 600
    assert options()["faulthandler_exit_on_timeout"] is True
    assert limit > SHOW_SECONDS
    hooks = (ROOT / "tests" / "conftest.py").read_text()
    assert "watching(item.nodeid)" in hooks
    assert "end_within(END_SECONDS)" in hooks
