"""What a saved file is called."""

from adapter.domain.media import MediaFormat

#: Characters of a stored file's name that a saved file keeps: enough to tell files apart, too few to make a link of.
KEPT_CHARACTERS = 8


def attachment(name: str) -> str:
    """Return the `content-disposition` with which a browser saves a stored file (RFC 6266)."""
    stem, _, extension = name.rpartition(".")
    known = MediaFormat.of_name(name)
    kind = "file" if known is None else "picture" if known.is_picture else "video"
    return f'attachment; filename="{kind}-{stem[:KEPT_CHARACTERS]}.{extension}"'
