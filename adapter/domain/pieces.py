"""Bytes as an asynchronous iterator."""

from collections.abc import AsyncIterator


async def one_piece(data: bytes) -> AsyncIterator[bytes]:
    """Yield the whole bytes as one piece, for functions that read pieces."""
    yield data
