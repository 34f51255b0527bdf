"""What a client writes for a picture into a source."""

import pybase64

from adapter.domain.orders import Filed, Kept, Link, Source, Upload
from adapter.errors import InvalidRequest
from adapter.openai_api.wire.images import ImageRef

FORMS = "a data: URL with base64, or an https:// address"
#: The longest head of a data: URL that is looked at, in characters.
_HEAD = 256
#: What a form's field begins with that names a picture instead of being one.
_ADDRESSES = (b"data:", b"http://", b"https://")
#: Google's own JSON takes the alphabet of URLs as well (protobuf's JSON mapping, "bytes").
#: What of the alphabet, its padding and its line breaks is escaped in an address. Only these: `unquote` of 120 MB of
#: per cent signs takes 40 s and gigabytes.
_ESCAPED = tuple(
    (code, bytes.fromhex(code[1:].decode()))
    for code in (b"%2B", b"%2b", b"%2F", b"%2f", b"%3D", b"%3d", b"%0A", b"%0a", b"%0D", b"%0d", b"%20")
)
_ALPHABET = bytes.maketrans(b"-_", b"+/")


def read_ref(ref: ImageRef | str, public_url: str, param: str) -> Source:
    """Return the source that a JSON request names.

    Raises:
        InvalidRequest: it names none.
    """
    url = ref if isinstance(ref, str) else ref.image_url
    if url is not None:
        return read_url(url, public_url, param)
    if isinstance(ref, ImageRef) and ref.file_id is not None:
        return Filed(ref.file_id, param)
    raise InvalidRequest(f"A picture needs an 'image_url' ({FORMS}) or a 'file_id'.", param=param)


def read_part(data: bytes, public_url: str, param: str) -> Source:
    """Return the source that a form's field is: the picture itself, or an address.

    Raises:
        InvalidRequest: it is an address and names none.
    """
    if data[:8].lower().startswith(_ADDRESSES):
        return read_url(data.decode(errors="replace"), public_url, param)
    return Upload(data, param)


def read_url(url: str, public_url: str, param: str) -> Source:
    """Return the source behind an address. One of our own links is not fetched: we have the file.

    Raises:
        InvalidRequest: neither base64 nor an address.
    """
    url = url.strip()
    if url[:5].lower() == "data:":
        return Upload(_decoded(url, param), param)
    kept = kept_name(url, public_url)
    if kept is not None:
        return Kept(kept, param)
    if url[:8].lower().startswith(("https://", "http://")):
        return Link(url, param)
    raise InvalidRequest(f"'{url[:40]}' is not a picture. Allowed: {FORMS}.", param=param)


def kept_name(url: str, public_url: str) -> str | None:
    """Return the name of a file of ours that an address leads to; None for any other address."""
    base = f"{public_url}/media/"
    return url[len(base) :].partition("?")[0] if url.startswith(base) else None


def _decoded(url: str, param: str) -> bytes:
    head, comma, _ = url[:_HEAD].partition(",")
    if not comma or not head.lower().endswith(";base64"):
        raise InvalidRequest("A data: URL has to be 'data:image/…;base64,…'.", param=param)
    text = memoryview(url.encode())[len(head.encode()) + 1 :]
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError:
        return _forgivingly_decoded(bytes(text), param)


def _forgivingly_decoded(text: bytes, param: str) -> bytes:
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
        raise InvalidRequest("The base64 of the data: URL is broken.", param=param, code="invalid_base64") from None
