"""Where the C library has the memory of pictures."""

import asyncio
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from adapter.allocator import QUIET_SECONDS, give_memory_back_when_quiet
from adapter.budget import MemoryBudget
from tests.fakes import FakeClock, let_others_run
from tests.support import ROOT

#: Tells how many bytes of a picture's memory the kernel may map in huge pages.
PROGRAM = """
import ctypes
from pathlib import Path
from adapter.allocator import tune_allocator, use_huge_pages

tune_allocator()
use_huge_pages()
picture = bytearray(2 * 1024 * 1024)
at, told = ctypes.addressof(ctypes.c_char.from_buffer(picture)), ""
for line in Path("/proc/self/smaps").read_text().splitlines():
    word = line.split()[0]
    if "-" in word and not word.endswith(":"):
        begin, end = (int(each, 16) for each in word.split("-"))
    elif word == "VmFlags:" and begin <= at < end:
        told = line
print("hg" in told.split())
"""


#: Tells how many megabytes a program holds after it had forty pictures, and after it gave their memory back. What it
#: keeps lies at the end of the heap.
BURST = """
from pathlib import Path
from adapter.allocator import give_memory_back, tune_allocator

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 // 1_000_000

tune_allocator()
pictures = [bytearray(b"p") * 1_500_000 for _ in range(40)]
kept = pictures.pop()
del pictures
before = held()
give_memory_back()
print(before - held(), len(kept))
"""


#: Tells how many megabytes a program keeps of pictures that the four threads of a pool have drawn.
BURST_IN_THREADS = """
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from adapter.allocator import give_memory_back, tune_allocator
from adapter.sandbox.renderer.drawing import PictureOrder, draw_png

def held():
    give_memory_back()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 // 1_000_000

def draw(seed):
    draw_png(PictureOrder(prompt="waves", seed=seed, width=2752, height=1536))

tune_allocator()
draw(0)
before = held()
with ThreadPoolExecutor(4) as pool:
    list(pool.map(draw, range(8)))
    print(held() - before)
"""


ONLY_GLIBC = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is asked to give memory back")


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or not Path("/sys/kernel/mm/transparent_hugepage").exists(),
    reason="only glibc on Linux has a heap that is asked for huge pages",
)
def test_a_picture_comes_from_memory_that_the_kernel_may_map_in_huge_pages() -> None:
    """In pages of 2 MB."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "True\n", done.stderr


def test_a_library_without_these_functions_is_left_as_it_is() -> None:
    """As musl's, which has no `mallopt`."""
    program = (
        "import ctypes; ctypes.CDLL = lambda _: object(); from adapter.allocator import *;"
        "tune_allocator(); use_huge_pages(); give_memory_back(); print('goes on')"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "goes on\n", done.stderr


@ONLY_GLIBC
def test_the_memory_of_a_burst_is_given_back() -> None:
    """Also what lies below a block that is still used."""
    done = subprocess.run([sys.executable, "-c", BURST], cwd=ROOT, capture_output=True, text=True, check=False)
    given_back, kept = map(int, done.stdout.split())

    assert given_back > 39 * 1.5 * 0.9
    assert kept == 1_500_000


@ONLY_GLIBC
def test_the_memory_of_a_burst_in_threads_is_given_back() -> None:
    """While the threads live on, as those of a pool do."""
    program = [sys.executable, "-c", BURST_IN_THREADS]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)

    assert int(done.stdout) < 20, done.stderr  # one picture of that size takes 13


async def test_memory_is_given_back_once_when_nothing_large_was_begun_for_a_while() -> None:
    """Not while pictures come, and not again before the next one."""
    clock = FakeClock()
    budget = MemoryBudget(clock, capacity=100, wait_seconds=1.0)
    given_back: list[float] = []
    task = asyncio.create_task(
        give_memory_back_when_quiet(lambda: budget.grants, clock, lambda: given_back.append(clock.now()))
    )
    await let_others_run()
    await clock.advance(10 * QUIET_SECONDS)
    assert given_back == []

    for _ in range(3):
        async with budget.reserve(10):
            await clock.advance(QUIET_SECONDS)
    assert given_back == []
    for _ in range(5):
        await clock.advance(QUIET_SECONDS)
    assert given_back == [1000.0 + 14 * QUIET_SECONDS]
    task.cancel()
