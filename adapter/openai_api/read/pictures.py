"""What a client writes for a picture into a source."""

from collections.abc import Iterable, Mapping

import pybase64

from adapter.domain.media import sniff
from adapter.domain.media_links import MediaLinks
from adapter.domain.orders import FileIdSource, InlineSource, LinkSource, Source, StoredSource
from adapter.errors import InvalidRequest
from adapter.openai_api.read.form import Part, is_empty
from adapter.openai_api.read.names import spellings
from adapter.openai_api.wire.media import Picture

FORMS = "a data: URL with base64, or an https:// address"
#: A value that is no object.
PLAIN = "url"


def spelt(*names: str) -> tuple[str, ...]:
    """Return names in both spellings, in their order."""
    return tuple(spelling for name in names for spelling in sorted(spellings(name), reverse=True))


#: Where an object has its picture, in this order: OpenAI's, Google's, Anthropic's and other gateways' words.
ADDRESSES = spelt("image_url", PLAIN, "file_url", "file_uri", "uri", "src")
BYTES = spelt("b64_json", "base64", "image_base64", "image_bytes", "bytes_base64_encoded", "file_data", "data")
IDS = spelt("file_id")
#: Objects around it. Google's `fileData` is one, OpenAI's `file_data` is a text.
INNER = spelt("file", "image", "inline_data", "source")
KEYS = (*ADDRESSES, *BYTES, *INNER, *IDS)
WITH_DATA = frozenset({*ADDRESSES, *BYTES, *INNER})
#: What a text with an address begins with; every other one is base64.
SCHEMES = ("data:", "https://", "http://")

#: The longest head of a data: URL that is looked at, in characters.
_HEAD = 256
#: What a form's field begins with that names a picture instead of being one.
_ADDRESSES = (b"data:", b"http://", b"https://")
#: What of the alphabet, its padding and its line breaks is escaped in an address. Only these: `unquote` of 120 MB of
#: per cent signs takes 40 s and gigabytes.
_ESCAPED = tuple(
    (code, bytes.fromhex(code[1:].decode()))
    for code in (b"%2B", b"%2b", b"%2F", b"%2f", b"%3D", b"%3d", b"%0A", b"%0a", b"%0D", b"%0d", b"%20")
)
#: Google's own JSON takes the alphabet of URLs as well (protobuf's JSON mapping, "bytes").
_ALPHABET = bytes.maketrans(b"-_", b"+/")


def sources_of(pictures: Iterable[Picture], links: MediaLinks) -> tuple[Source, ...]:
    """Return where the pictures of a request come from.

    Raises:
        InvalidRequest: one of them names no picture.
    """
    return tuple(read_picture(picture.value, links, picture.name) for picture in pictures)


def read_picture(value: object, links: MediaLinks, param: str) -> Source:
    """Return the source that a value means: an address, base64, an id, a part of a form, or an object with one of them.

    A conversation brings sources: they are returned as they are.

    Raises:
        InvalidRequest: it means none.
    """
    if isinstance(value, Source):
        return value
    kind, said = unwrapped(value)
    if kind in WITH_DATA:
        if isinstance(said, Part):
            return read_part(said.data, links, param)
        is_base64 = kind in BYTES and not said[:8].lower().startswith(SCHEMES)
        return InlineSource(_base64(said.encode(), param), param) if is_base64 else read_url(said, links, param)
    if kind in IDS:
        return FileIdSource(plain_text(said), param)
    raise InvalidRequest(f"A picture needs an 'image_url' ({FORMS}), 'b64_json', or a 'file_id'.", param=param)


def unwrapped(value: object) -> tuple[str, Part | str]:
    """Return the innermost value of a picture and the key that it stands under; "" if there is none."""
    key = PLAIN
    while isinstance(value, dict):
        key = next((key for key in KEYS if _has(value, key)), "")
        value = value.get(key)
    return (key, value) if isinstance(value, Part | str) else ("", "")


def _has(given: Mapping[str, object], key: str) -> bool:
    """Say whether an object has its picture under a key. `source` and the like may also be words about it."""
    value = given.get(key)
    return not is_empty(value) and (key not in INNER or key == "image" or not isinstance(value, str))


def address_of(value: object) -> str | None:
    """Return the address of a picture on the web; None for one that came as data or by its id."""
    _, said = unwrapped(value)
    is_address = isinstance(said, str) and said.strip()[:8].lower().startswith(SCHEMES[1:])
    return said if isinstance(said, str) and is_address else None


def plain_text(said: Part | str) -> str:
    """Return a text, also one of a form."""
    return said if isinstance(said, str) else said.data.decode(errors="replace")


def read_part(data: bytes, links: MediaLinks, param: str) -> Source:
    """Return the source that a form's field is: the picture itself, its base64, or an address.

    Raises:
        InvalidRequest: it is an address and names none.
    """
    if data[:8].lower().startswith(_ADDRESSES):
        return read_url(data.decode(errors="replace"), links, param)
    return InlineSource(_base64(data, param) if _is_base64(data) else data, param)


def read_url(url: str, links: MediaLinks, param: str) -> Source:
    """Return the source behind an address, or in bare base64. One of our own links is not fetched: we have the file.

    Raises:
        InvalidRequest: neither base64 nor an address.
    """
    url = url.strip()
    if url[:5].lower() == "data:":
        return InlineSource(_decoded(url, param), param)
    kept = links.name_in(url)
    if kept is not None:
        return StoredSource(kept, param)
    if url[:8].lower().startswith(("https://", "http://")):
        return LinkSource(url, param)
    if _is_base64(url[:_HEAD].encode(errors="replace")):
        return InlineSource(_base64(url.encode(), param), param)
    raise InvalidRequest(f"'{url[:40]}' is not a picture. Allowed: {FORMS}.", param=param)


def _is_base64(data: bytes) -> bool:
    """Say whether the beginning of a text is that of a picture in base64."""
    head = data[:_HEAD].translate(_ALPHABET, b" \t\n\f\r")
    try:
        found = sniff(pybase64.b64decode(head[: len(head) // 4 * 4], validate=True))
    except ValueError:
        return False
    return found is not None and found.is_picture


def _base64(text: bytes, param: str) -> bytes:
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError:
        return _forgivingly_decoded(text, param, "picture")


def _decoded(url: str, param: str) -> bytes:
    head, comma, _ = url[:_HEAD].partition(",")
    if not comma or not head.lower().endswith(";base64"):
        raise InvalidRequest("A data: URL has to be 'data:image/…;base64,…'.", param=param)
    text = memoryview(url.encode())[len(head.encode()) + 1 :]
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError:
        return _forgivingly_decoded(bytes(text), param, "data: URL")


def _forgivingly_decoded(text: bytes, param: str, what: str) -> bytes:
    """Decode base64 as a browser does: with line breaks, per cent signs or without the padding (WHATWG Infra, Fetch).

    Separate, because it copies; what clients usually send needs none of it.
    """
    plain = text
    for escaped, sign in _ESCAPED if b"%" in text else ():
        plain = plain.replace(escaped, sign)
    plain = plain.translate(_ALPHABET, b" \t\n\f\r")
    try:
        return pybase64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except ValueError:
        raise InvalidRequest(f"The base64 of the {what} is broken.", param=param, code="invalid_base64") from None
