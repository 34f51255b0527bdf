"""What a client writes for a picture into a source."""

import re

import pybase64

from adapter.domain.orders import Kept, Link, Source, Upload
from adapter.errors import InvalidRequest
from adapter.openai_api.wire.images import ImageRef

FORMS = "a data: URL with base64, or an https:// address"
_DATA = re.compile(r"data:[\w.+-]*/?[\w.+-]*(;[\w.=+-]*)*,", re.ASCII)
#: The longest head of a data: URL that is looked at.
_HEAD = 256


def read_ref(ref: ImageRef | str, public_url: str, param: str) -> Source:
    """Return the source that a JSON request names.

    Raises:
        InvalidRequest: it names none, or one that does not exist.
    """
    url = ref if isinstance(ref, str) else ref.image_url
    if url is not None:
        return read_url(url, public_url, param)
    if isinstance(ref, ImageRef) and ref.file_id is not None:
        raise InvalidRequest(f"There is no file '{ref.file_id}' here; give the picture as {FORMS}.", param=param)
    raise InvalidRequest(f"A picture needs an 'image_url': {FORMS}.", param=param)


def read_url(url: str, public_url: str, param: str) -> Source:
    """Return the source behind an address. One of our own links is not fetched: we have the file.

    Raises:
        InvalidRequest: neither base64 nor an address.
    """
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
    head = _DATA.match(url[:_HEAD])
    if head is None or not head[0].lower().endswith(";base64,"):
        raise InvalidRequest("A data: URL has to be 'data:image/…;base64,…'.", param=param)
    try:
        return pybase64.b64decode(memoryview(url.encode())[head.end() :], validate=True)
    except ValueError:
        raise InvalidRequest("The base64 of the data: URL is broken.", param=param, code="invalid_base64") from None
