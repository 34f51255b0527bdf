"""The videoModelKey of each endpoint and orientation (seeds 002 and 004; `flow.md` section 1 for StartImage)."""

from typing import Final

Keys = dict[str, str]

LANDSCAPE: Final = "VIDEO_ASPECT_RATIO_LANDSCAPE"
PORTRAIT: Final = "VIDEO_ASPECT_RATIO_PORTRAIT"

TEXT_KEYS: Final[Keys] = {"veo_3_1_t2v_fast": LANDSCAPE, "veo_3_1_t2v_fast_portrait": PORTRAIT}
START_END_KEYS: Final[Keys] = {
    "veo_3_1_i2v_s_fast_fl": LANDSCAPE,
    "veo_3_1_i2v_s_fast_portrait_fl": PORTRAIT,
}
START_KEYS: Final[Keys] = {
    "veo_3_1_i2v_s_fast": LANDSCAPE,
    "veo_3_1_i2v_s_fast_portrait": PORTRAIT,
    **START_END_KEYS,  # the seeds know no other key for pictures
}
REFERENCE_KEYS: Final[Keys] = {"veo_3_0_r2v_fast": LANDSCAPE}
