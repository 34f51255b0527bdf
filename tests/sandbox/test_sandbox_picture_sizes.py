"""The sizes of pictures are Google's table, line by line (`gemini.md` section 1.2)."""

import pytest

from adapter.sandbox.gemini.models import MODELS, nearest_ratio, picture_size

GEMINI_3 = """
1:1 512x512 1024x1024 2048x2048 4096x4096
2:3 424x632 848x1264 1696x2528 3392x5056
3:2 632x424 1264x848 2528x1696 5056x3392
3:4 448x600 896x1200 1792x2400 3584x4800
4:3 600x448 1200x896 2400x1792 4800x3584
4:5 464x576 928x1152 1856x2304 3712x4608
5:4 576x464 1152x928 2304x1856 4608x3712
9:16 384x688 768x1376 1536x2752 3072x5504
16:9 688x384 1376x768 2752x1536 5504x3072
21:9 792x168 1584x672 3168x1344 6336x2688
1:4 256x1024 512x2048 1024x4096 2048x8192
4:1 1024x256 2048x512 4096x1024 8192x2048
1:8 192x1536 384x3072 768x6144 1536x12288
8:1 1536x192 3072x384 6144x768 12288x1536
"""
GEMINI_2_5 = """
1:1 1024x1024
2:3 832x1248
3:2 1248x832
3:4 864x1184
4:3 1184x864
4:5 896x1152
5:4 1152x896
9:16 768x1344
16:9 1344x768
21:9 1536x672
"""
Case = tuple[str, str, str, str]


def cases() -> list[Case]:
    """Return model, ratio, image size and WxH for everything that a model takes."""
    wide = {
        row.split()[0]: dict(zip(("512", "1K", "2K", "4K"), row.split()[1:], strict=True)) for row in lines(GEMINI_3)
    }
    old = {row.split()[0]: {"1K": row.split()[1]} for row in lines(GEMINI_2_5)}
    return [
        (name, ratio, size, (old if model.is_2_5 else wide)[ratio][size])
        for name, model in MODELS.items()
        for ratio in model.ratios
        for size in model.tokens
    ]


def lines(table: str) -> list[str]:
    """Return the rows of a table."""
    return table.strip().splitlines()


@pytest.mark.parametrize(("model", "ratio", "size", "pixels"), cases())
def test_each_size_is_the_documented_one(model: str, ratio: str, size: str, pixels: str) -> None:
    """The pure size function agrees with the page."""
    width, height = picture_size(MODELS[model], ratio, size)

    assert f"{width}x{height}" == pixels


def test_every_model_of_the_seed_is_there() -> None:
    """Seed 003 names four models, two of them previews."""
    names = ["gemini-2.5-flash-image", "gemini-2.5-flash-image-preview"]
    names += ["gemini-3-pro-image-preview", "gemini-3.1-flash-image-preview"]

    assert set(names) <= set(MODELS)


@pytest.mark.parametrize(("width", "height", "ratio"), [(90, 160, "9:16"), (100, 100, "1:1"), (1000, 100, "21:9")])
def test_the_nearest_ratio_is_one_of_the_models(width: int, height: int, ratio: str) -> None:
    """A picture of any shape falls to the closest ratio that the model has."""
    assert nearest_ratio(MODELS["gemini-3-pro-image"], width, height) == ratio
