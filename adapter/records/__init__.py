"""The memory of what clients can look up again: rows here, bytes in the media store."""
