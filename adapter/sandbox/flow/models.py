"""The videoModelKey of each endpoint, with the shapes that it makes (seeds 002 and 004; `flow.md` section 1)."""

from typing import Final

Keys = dict[str, tuple[str, ...]]

LANDSCAPE: Final = "VIDEO_ASPECT_RATIO_LANDSCAPE"
PORTRAIT: Final = "VIDEO_ASPECT_RATIO_PORTRAIT"
BOTH: Final = (LANDSCAPE, PORTRAIT)


def _short(*patterns: str) -> Keys:
    """Return the keys of the shorter clips, which serve both shapes."""
    return {pattern.format(length): BOTH for pattern in patterns for length in ("4s", "6s")}


TEXT_KEYS: Final[Keys] = {
    "veo_3_1_t2v_fast": (LANDSCAPE,),
    "veo_3_1_t2v_fast_portrait": (PORTRAIT,),
    "veo_3_1_t2v": (LANDSCAPE,),
    "veo_3_1_t2v_portrait": (PORTRAIT,),
    "veo_3_1_t2v_lite": BOTH,
    **_short("veo_3_1_t2v_fast_{}", "veo_3_1_t2v_quality_{}", "veo_3_1_t2v_lite_{}"),
}
START_END_KEYS: Final[Keys] = {
    "veo_3_1_i2v_s_fast_fl": (LANDSCAPE,),
    "veo_3_1_i2v_s_fast_portrait_fl": (PORTRAIT,),
    "veo_3_1_i2v_s_fl": (LANDSCAPE,),
    "veo_3_1_i2v_s_portrait_fl": (PORTRAIT,),
    "veo_3_1_interpolation_lite": BOTH,
    **_short("veo_3_1_i2v_s_fast_{}_fl", "veo_3_1_i2v_s_quality_{}_fl", "veo_3_1_i2v_s_lite_{}_fl"),
}
START_KEYS: Final[Keys] = {
    **{key.removesuffix("_fl"): shapes for key, shapes in START_END_KEYS.items() if key.endswith("_fl")},
    "veo_3_1_i2v_lite": BOTH,
    # The seeds know no other key for pictures.
    "veo_3_1_i2v_s_fast_fl": (LANDSCAPE,),
    "veo_3_1_i2v_s_fast_portrait_fl": (PORTRAIT,),
}
REFERENCE_KEYS: Final[Keys] = {"veo_3_0_r2v_fast": (LANDSCAPE,)}

#: The keys of an extension, which serve clips of every model.
EXTEND_KEYS: Final[Keys] = {"veo_3_1_extend_landscape": (LANDSCAPE,), "veo_3_1_extend_portrait": (PORTRAIT,)}

#: The resolution of each key of an upscale, the tiers that may ask for it, and how many times finer it is than 720p.
UPSAMPLE_KEYS: Final = {
    "veo_3_1_upsampler_1080p": ("VIDEO_RESOLUTION_1080P", ("PAYGATE_TIER_ONE", "PAYGATE_TIER_TWO"), 1.5),
    "veo_3_1_upsampler_4k": ("VIDEO_RESOLUTION_4K", ("PAYGATE_TIER_TWO",), 3.0),
}


def price(key: str, fast: int) -> int:
    """Return the credits for a clip; `fast` is what one of the fast models costs (`flow.md` section 1)."""
    if key in UPSAMPLE_KEYS:
        return fast * 5 // 2 if key.endswith("_4k") else 0
    if "_lite" in key:
        return fast // 2
    # No source tells the price of an extension.
    return fast if "_fast" in key or key in EXTEND_KEYS else fast * 5
