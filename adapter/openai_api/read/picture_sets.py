"""The pictures of a request, from all the fields that bring some."""

from collections.abc import Iterator, Mapping, Sequence

from adapter.errors import InvalidRequest
from adapter.openai_api.read.form import DEEPEST, Part, is_empty
from adapter.openai_api.read.names import FIRST, LAST, REFERENCE
from adapter.openai_api.read.pictures import plain_text, spelt, unwrapped
from adapter.openai_api.wire.media import Picture

#: Where an object says what the picture is to a video, and the words of other gateways for it.
ROLES = spelt("role", "frame_type", "reference_type")
ROLE_WORDS = {
    "first": FIRST,
    "start": FIRST,
    "start_frame": FIRST,
    "last": LAST,
    "end": LAST,
    "end_frame": LAST,
    "reference": REFERENCE,
    "asset": REFERENCE,
    "ASSET": REFERENCE,
}
#: The names of a form's files that belong together.
FILES = frozenset({"image", "images"})


def listed(value: object, name: str, role: str | None) -> Iterator[Picture]:
    """Yield the pictures of a field, which has one or a list of them, each with its place in the request."""
    if isinstance(value, Part):
        yield Picture(value, value.name, role)
    elif isinstance(value, dict):
        within = next((inner.name for inner in value.values() if isinstance(inner, Part)), None)
        yield Picture(value, within.rpartition("[")[0] if within else name, _role(value) or role)
    elif isinstance(value, list) and name.count("[") < DEEPEST:
        for at, item in enumerate(value):
            if not is_empty(item):
                yield from listed(item, f"{name}[{at}]", role)
    else:
        yield Picture(value, name, role)


def _role(given: Mapping[str, object]) -> str | None:
    """Return what a picture says that it is to a video."""
    said = next((given[key] for key in ROLES if not is_empty(given.get(key))), None)
    if said is None:
        return None
    role = plain_text(said) if isinstance(said, Part) else str(said)
    return ROLE_WORDS.get(role, role)


def one_set(sets: Mapping[str, Sequence[Picture]]) -> tuple[Picture, ...]:
    """Return the pictures that came under several names. The same ones under two names are meant once.

    Parts of a form belong together whether they are called `image` or `images`.

    Raises:
        InvalidRequest: two names for one thing bring different pictures.
    """
    found: dict[tuple[str | None, ...], tuple[str, Sequence[Picture]]] = {}
    for name, pictures in sets.items():
        roles = tuple({picture.role: None for picture in pictures})
        earlier = found.get(roles)
        if earlier is None:
            found[roles] = (name, pictures)
        elif {earlier[0], name} == FILES and all(_is_of_form(one) for one in (*earlier[1], *pictures)):
            found[roles] = (name, [*earlier[1], *pictures])
        elif _alike(earlier[1]) != _alike(pictures):
            raise InvalidRequest(
                f"'{earlier[0]}' and '{name}' bring different pictures; leave one of them out.", param=name
            )
    return _without_doubles([pictures for _, pictures in found.values()])


def _without_doubles(sets: Sequence[Sequence[Picture]]) -> tuple[Picture, ...]:
    """Leave out pictures without a role that came once more with one."""
    known = [_alike(pictures) for pictures in sets if all(picture.role for picture in pictures)]
    return tuple(
        picture
        for pictures in sets
        if any(one.role for one in pictures) or _alike(pictures) not in known
        for picture in pictures
    )


def _is_of_form(picture: Picture) -> bool:
    return isinstance(unwrapped(picture.value)[1], Part)


def _alike(pictures: Sequence[Picture]) -> list[object]:
    said = [unwrapped(picture.value)[1] for picture in pictures]
    return [one.data if isinstance(one, Part) else one for one in said]
