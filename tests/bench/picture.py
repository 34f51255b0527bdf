"""The picture that everybody passes on, and the answer of Gemini that holds it."""

import json
import random
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import NamedTuple

import pybase64
from PIL import Image


class Picture(NamedTuple):
    """A real PNG. The seed is fixed, so every process that draws it has the same bytes."""

    png: bytes
    base64: bytes

    @classmethod
    def draw(cls, edge: int, levels: int) -> "Picture":
        """Return a square of noise, which no compression takes away; fewer levels make a smaller file."""
        noise = random.Random(edge).randbytes(edge * edge * 3)
        file = BytesIO()
        pixels = noise.translate(bytes(value % levels for value in range(256)))
        Image.frombytes("RGB", (edge, edge), pixels).save(file, "PNG", compress_level=1)
        return cls(file.getvalue(), pybase64.b64encode(file.getvalue()))


def large() -> Picture:
    """Return a picture about as large as the models draw at 1K, in 1.50 MB."""
    return Picture.draw(1036, 5)


def small() -> Picture:
    """Return a picture of 10 KB, whose bytes cost nothing beside the calls."""
    return Picture.draw(58, 256)


#: What is drawn for the words that stand in prompts.
SIZES: Mapping[str, Callable[[], Picture]] = {
    "small": small,
    "medium": lambda: Picture.draw(258, 256),
    "large": large,
    "huge": lambda: Picture.draw(1414, 256),
}


def gemini_answer(picture: Picture) -> bytes:
    """Return the body of `generateContent`, in the form in which Google writes it (`gemini.md` section 1.4)."""
    part = {"inlineData": {"mimeType": "image/png", "data": picture.base64.decode()}}
    answer = {
        "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 1290, "totalTokenCount": 1299},
        "modelVersion": "gemini-2.5-flash-image",
        "responseId": "bench",
    }
    return json.dumps(answer, indent=2).encode()
