"""Prompts as lettering, without a font file: Pillow's built-in face, and hex boxes for what it cannot write.

The face knows little more than ASCII. An accented letter loses its accent; any other character without a glyph is
drawn as browsers draw one of last resort: a frame around its code point, so that one Chinese prompt is still told
from another.
"""

import unicodedata
from functools import cache
from itertools import groupby

from PIL import Image, ImageDraw, ImageFont

_PROBE_SIZE = 16
_SPELLINGS = str.maketrans({"—": "-", "–": "-", "ß": "ss", "×": "x", "•": "*", "€": "EUR", "æ": "ae", "ø": "o"})
#: Characters that are drawn; longer prompts end in an ellipsis.
_CEILING = 600


def letter(picture: Image.Image, text: str, box: tuple[int, int, int, int]) -> None:
    """Write `text` into `box` (left, top, right, bottom), as large as it fits, white on what is there."""
    words = "".join(char if char.isprintable() else " " for char in text[: _CEILING + 1]).split()
    short = _spelled(" ".join(words)[:_CEILING] + ("..." if len(text) > _CEILING else ""))
    width, height = box[2] - box[0], box[3] - box[1]
    size = max(8, min(height // 2, max(picture.size) // 24))
    lines = _wrapped(short, size, width)
    while len(lines) * size * 1.3 > height and size > 6:
        size = size * 9 // 10
        lines = _wrapped(short, size, width)
    pen = ImageDraw.Draw(picture)
    for row, line in enumerate(lines[: max(1, int(height / (size * 1.3)))]):
        _write(pen, line, (box[0], box[1] + round(row * size * 1.3)), size)


def _spelled(text: str) -> str:
    """Return the text with what the face can write in place of what it cannot, where there is such a thing."""
    return "".join(char if _has_glyph(char) else _plain(char) for char in text)


@cache
def _plain(char: str) -> str:
    """Return the letters that stand for `char` without accents, if the face has them all; else `char`."""
    bare = char.translate(_SPELLINGS)
    letters = "".join(one for one in unicodedata.normalize("NFKD", bare) if not unicodedata.combining(one))
    return letters if letters and all(_has_glyph(one) for one in letters) else char


@cache
def _face(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@cache
def _has_glyph(char: str) -> bool:
    """Say whether the face draws `char` otherwise than a code point that never has a glyph."""
    face = _face(_PROBE_SIZE)
    return bytes(face.getmask(char)) != bytes(face.getmask("\uffff"))


def _width(text: str, size: int) -> float:
    return sum(
        _face(size).getlength("".join(run)) if known else sum(size * 0.95 for _ in run)
        for known, run in groupby(text, _has_glyph)
    )


def _wrapped(text: str, size: int, width: int) -> list[str]:
    """Break into lines no wider than `width`: at spaces, and inside a word that is too long for a line."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if _width(longer, size) <= width:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        for char in word:
            if lines[-1] and _width(lines[-1] + char, size) > width:
                lines.append("")
            lines[-1] += char
    return lines


def _write(pen: ImageDraw.ImageDraw, line: str, at: tuple[float, float], size: int) -> None:
    left, top = at
    for known, run in groupby(line, _has_glyph):
        text = "".join(run)
        if known:
            pen.text((left + 1, top + 1), text, fill="black", font=_face(size))
            pen.text((left, top), text, fill="white", font=_face(size))
            left += _face(size).getlength(text)
            continue
        for char in text:
            _hex_box(pen, char, (left, top), size)
            left += size * 0.95


def _hex_box(pen: ImageDraw.ImageDraw, char: str, at: tuple[float, float], size: int) -> None:
    digits = f"{ord(char):04X}"
    half = (len(digits) + 1) // 2
    side = size * 0.85
    left, top = at[0], at[1] + size * 0.1
    pen.rectangle((left, top, left + side, top + side), outline="white")
    small = max(4, int(side * (0.44 if half == 2 else 0.36)))
    for row, pair in enumerate((digits[:half], digits[half:])):
        middle = (left + side / 2, top + side * (0.27 + 0.46 * row))
        pen.text(middle, pair, fill="white", font=_face(small), anchor="mm")
