"""The C library's allocator, and where it has the memory of pictures.

Only glibc on Linux has what is asked for here. Elsewhere these functions do nothing.
"""

import ctypes
import mmap
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from adapter.domain.ports import Clock

_MB: Final = 1024 * 1024
#: Parameters of `mallopt` (malloc.h), in bytes: blocks below the first come from the heap, of the heap so much is kept
#: when it is free, and so much more than is needed is asked for, and kept when the rest is given back. The last one is
#: the number of heaps: threads have the one of the event loop, because little of any other one is given back.
MALLOPT: Final = {-3: 32 * _MB, -1: 64 * _MB, -2: 48 * _MB, -8: 1}
#: A block that still comes from the heap.
BLOCK_BYTES: Final = 31 * _MB
#: Free memory is given back if nothing large has been begun for so long, in seconds. It takes some milliseconds.
QUIET_SECONDS: Final = 5.0


def tune_allocator() -> None:
    """Have the memory of one picture used for the next one.

    By itself glibc gives the memory of large blocks back at once and asks for new pages with the next picture, which
    costs as much as all the copying (docs/measurements.md).
    """
    with suppress(AttributeError, TypeError):
        for parameter, size in MALLOPT.items():
            ctypes.CDLL(None).mallopt(parameter, size)


def use_huge_pages() -> None:
    """Have the kernel map the free end of the heap in pages of 2 MB instead of 4 KB, once they are used.

    A picture's bytes are walked five times, and each walk looks up 500 pages of 4 KB. Pictures come from the end of the
    heap if what lives for ever is there already. A kernel that is told `never` (transparent_hugepage) ignores it.
    """
    with suppress(AttributeError, TypeError):
        libc = ctypes.CDLL(None)
        libc.malloc.restype = libc.sbrk.restype = ctypes.c_void_p
        block = libc.malloc(ctypes.c_size_t(BLOCK_BYTES))
        begin, end = block - block % mmap.PAGESIZE, libc.sbrk(ctypes.c_ssize_t(0))
        libc.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), mmap.MADV_HUGEPAGE)
        libc.free(ctypes.c_void_p(block))


def give_memory_back() -> None:
    """Give all memory of the heap that is free back to the system. The next picture asks for it anew."""
    with suppress(AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(ctypes.c_size_t(0))
        use_huge_pages()  # the end of the heap is another one now


async def give_memory_back_when_quiet(
    begun: Callable[[], int], clock: Clock, give_back: Callable[[], None] = give_memory_back
) -> None:
    """Give free memory back after each time of much work, until cancelled. `begun` counts what was begun.

    What a burst of pictures needed is kept for the next picture. After the burst it would be kept for ever.
    """
    seen = given_back = begun()
    while True:
        await clock.sleep(QUIET_SECONDS)
        now = begun()
        if now == seen != given_back:
            give_back()
            given_back = now
        seen = now
