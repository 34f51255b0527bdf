"""The image models of the Gemini API and the sizes of their pictures.

Sources: `gemini.md` sections 1.1, 1.2; seed 003; `nano-banana-2.1.md` sections 1 and 2.
"""

import math
from typing import Final

import msgspec

Size = tuple[int, int]

_TEN: Final = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
_FOURTEEN: Final = (*_TEN, "1:4", "4:1", "1:8", "8:1")

_FLASH_2_5: Final[dict[str, Size]] = {
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}
_GEMINI_3_AT_1K: Final[dict[str, Size]] = {
    "1:1": (1024, 1024),
    "2:3": (848, 1264),
    "3:2": (1264, 848),
    "3:4": (896, 1200),
    "4:3": (1200, 896),
    "4:5": (928, 1152),
    "5:4": (1152, 928),
    "9:16": (768, 1376),
    "16:9": (1376, 768),
    "21:9": (1584, 672),
    "1:4": (512, 2048),
    "4:1": (2048, 512),
    "1:8": (384, 3072),
    "8:1": (3072, 384),
}
#: The one 512 size that is not half of 1K on Google's page; LiteLLM's table has 792x336.
_HALVES: Final[dict[str, Size]] = {"21:9": (792, 168)}
_SCALE: Final = {"512": 0.5, "1K": 1, "2K": 2, "4K": 4}


class ImageModel(msgspec.Struct, frozen=True, kw_only=True):
    """What one model takes and what a picture of it costs."""

    name: str
    ratios: tuple[str, ...]
    #: Tokens of a picture by image size, smallest first; its keys are the sizes it takes.
    tokens: dict[str, int]
    #: Pictures that a prompt may hold.
    inputs: int = 14
    #: Tokens it thinks at its default level.
    thoughts: int = 0
    thinks: bool = True
    #: The levels of thinking that it takes; empty: it takes any, and none changes anything.
    levels: tuple[str, ...] = ()
    #: Whether it has the search tool.
    searches: bool = False

    @property
    def is_2_5(self) -> bool:
        """Whether it has the pixel table of the 2.5 generation."""
        return self.name.startswith("gemini-2.5")


def _models() -> dict[str, ImageModel]:
    cards = [
        ImageModel(name="gemini-2.5-flash-image", ratios=_TEN, tokens={"1K": 1290}, inputs=3, thinks=False),
        ImageModel(
            name="gemini-3-pro-image",
            ratios=_TEN,
            tokens={"1K": 1120, "2K": 1120, "4K": 2000},
            thoughts=208,
            searches=True,
        ),
        ImageModel(
            name="gemini-3.1-flash-image",
            ratios=_FOURTEEN,
            tokens={"512": 747, "1K": 1120, "2K": 1680, "4K": 2520},
            levels=("MINIMAL", "HIGH"),
            searches=True,
        ),
    ]
    previews = [msgspec.structs.replace(card, name=f"{card.name}-preview") for card in cards]
    others = [
        ImageModel(
            name="gemini-3.1-flash-lite-image", ratios=_FOURTEEN, tokens={"1K": 1120}, levels=("MINIMAL", "HIGH")
        ),
        ImageModel(
            name="gemini-nano-banana-2.1",
            ratios=_FOURTEEN,
            tokens={"1K": 1120, "2K": 1680, "4K": 2520},
            levels=("MINIMAL", "MEDIUM", "HIGH"),
            searches=True,
        ),
    ]
    return {card.name: card for card in (*cards, *previews, *others)}


MODELS: Final = _models()


def picture_size(model: ImageModel, ratio: str, image_size: str) -> Size:
    """Return width and height in pixels. `ratio` and `image_size` must be among the model's.

    Raises:
        KeyError: for a ratio or size that no model has.
    """
    if model.is_2_5:
        return _FLASH_2_5[ratio]
    if image_size == "512" and ratio in _HALVES:
        return _HALVES[ratio]
    width, height = _GEMINI_3_AT_1K[ratio]
    scale = _SCALE[image_size]
    return int(width * scale), int(height * scale)


def nearest_ratio(model: ImageModel, width: int, height: int) -> str:
    """Return the model's ratio that is closest to a picture's: an edit keeps the shape of its input."""

    def distance(ratio: str) -> float:
        across, down = ratio.split(":")
        return abs(math.log(int(across) / int(down)) - math.log(width / height))

    return min(model.ratios, key=distance)
