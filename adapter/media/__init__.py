"""The memory of bytes: finished pictures and videos, kept as files under names that nobody can guess."""
