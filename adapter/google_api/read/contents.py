"""The turns of `contents` and their parts, whether a client put lists around them or not."""

from collections.abc import Sequence

from adapter.google_api.wire.requests import Content, Part


def turns_of(contents: Sequence[Content] | Content | None) -> Sequence[Content]:
    """Return the turns."""
    return [contents] if isinstance(contents, Content) else contents or ()


def parts_of(turn: Content | None) -> Sequence[Part]:
    """Return the parts of a turn without the model's drafts and thoughts."""
    parts = turn.parts if turn else None
    listed = [parts] if isinstance(parts, Part) else parts or ()
    return [part for part in listed if not part.thought]
