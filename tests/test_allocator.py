"""Where the C library has the memory of pictures."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

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
        "import ctypes; ctypes.CDLL = lambda _: object(); from adapter.allocator import tune_allocator, use_huge_pages;"
        "tune_allocator(); use_huge_pages(); print('goes on')"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "goes on\n", done.stderr
