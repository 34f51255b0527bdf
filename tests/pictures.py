"""Pictures, looked at as a viewer would."""

import base64
from io import BytesIO

import openai
from PIL import Image as Pillow


def opened(file: str | bytes) -> Pillow.Image:
    """Decode a picture whole: bytes, base64 or a data URL."""
    data = base64.b64decode(file.rpartition(",")[2], validate=True) if isinstance(file, str) else file
    picture = Pillow.open(BytesIO(data))
    picture.load()
    return picture


def pictures(response: openai.types.ImagesResponse) -> list[bytes]:
    """Return the files of an answer."""
    assert response.data is not None
    return [base64.b64decode(item.b64_json or "", validate=True) for item in response.data]
