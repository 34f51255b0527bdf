"""The names by which clients say what they want of a picture or a video.

One table for all routes. OpenAI's and OpenRouter's names are written with underscores. Google's JSON knows each name in
both spellings (`aspect_ratio`, `aspectRatio`), and other gateways mix them. So every name is known in both. A name
counts at the top of a request and in each of the `CONTAINERS`, at any depth.

What stands here is honoured, or refused by name. What does not stand here is ignored, because every SDK and every
gateway adds fields of its own.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from adapter.openai_api.read.fields import format_of, seconds_of, whole_number, word_of
from adapter.openai_api.read.searches import search_of
from adapter.openai_api.read.shape import ratio_of, resolution_of, size_of
from adapter.openai_api.read.thinking import complexity_of, effort_of, level_of

FIRST, LAST, REFERENCE = "first_frame", "last_frame", "reference_image"


def spellings(name: str) -> set[str]:
    """Return a name with underscores as Google's two kinds of clients write it."""
    return {name, re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)}


def _by_spelling(table: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    return {spelt: field for field, names in table.items() for name in names for spelt in spellings(name)}


#: Objects in which clients put these names (reference: `gemini.md` sections 1.3, 2 and 3.1, `openai.md` section 6).
CONTAINERS: Final = frozenset(
    spelt
    for name in (
        "image_config",
        "video_config",
        "generation_config",
        "image_generation_config",
        "thinking_config",
        "reasoning",
        "response_format",  # of Gemini's newest API; OpenAI's own has none of these names in it
        "config",
        "parameters",
        "extra_body",
        "google",
        "output_options",
        "image_output_options",
    )
    for spelt in spellings(name)
)
#: Objects that are containers only inside of one: elsewhere `image` is a picture.
INNER_CONTAINERS: Final = frozenset({"image", "video"})
FORMATS: Final = frozenset({"response_format", "responseFormat"})
#: Containers that speak of the file to make. Elsewhere `mime_type` is of a picture that comes along.
OF_FILES: Final = FORMATS | INNER_CONTAINERS | spellings("output_options") | spellings("image_output_options")

#: Each field of `MediaRequest` that is known at every route: how it is read, and what clients call it. A `width` with a
#: `height` is a `size`.
_FIELDS: Final[Mapping[str, tuple[Callable[[object, str], object], tuple[str, ...]]]] = {
    "n": (
        whole_number,
        (
            "n",
            "num_images",
            "num_outputs",
            "num_videos",
            "number_of_images",
            "number_of_videos",
            "image_count",
            "sample_count",
            "candidate_count",
            "batch_size",
            "n_variants",
        ),
    ),
    "size": (size_of, ("size",)),
    "width": (whole_number, ("width",)),
    "height": (whole_number, ("height",)),
    "aspect_ratio": (ratio_of, ("aspect_ratio", "ratio", "image_aspect_ratio", "video_aspect_ratio", "orientation")),
    "resolution": (
        resolution_of,
        (
            "resolution",
            "image_size",
            "sample_image_size",
            "image_resolution",
            "video_resolution",
            "output_resolution",
        ),
    ),
    "quality": (word_of, ("quality",)),
    "output_format": (format_of, ("output_format", "output_mime_type")),
    "output_compression": (whole_number, ("output_compression", "output_compression_quality")),
    "seconds": (
        seconds_of,
        (
            "seconds",
            "duration",
            "duration_seconds",
            "duration_secs",
            "length",
            "length_seconds",
            "video_length",
            "video_duration",
            "n_seconds",
        ),
    ),
    "seed": (whole_number, ("seed", "random_seed")),
    "thinking_level": (level_of, ("thinking_level",)),
    "complexity": (complexity_of, ("complexity",)),
    "reasoning_effort": (effort_of, ("reasoning_effort", "effort")),
    "search": (
        search_of,
        ("google_search", "google_search_retrieval", "grounding", "web_search", "web_search_options"),
    ),
}
FIELDS: Final = _by_spelling({field: names for field, (_, names) in _FIELDS.items()})
READERS: Final = {field: read for field, (read, _) in _FIELDS.items()}

#: Google's names in the containers that speak of the file to make.
FILE_FIELDS: Final = {
    **dict.fromkeys(spellings("mime_type"), "output_format"),
    **dict.fromkeys(spellings("compression_quality"), "output_compression"),
}

#: What clients call pictures to work from, and what such a picture is to a video; "" leaves that to their number.
PICTURES: Final = {
    spelt: role
    for role, names in (
        (
            "",
            (
                "image",
                "images",
                "image_url",
                "image_urls",
                "image_base64",
                "image_data",
                "image_input",
                "input_image",
                "input_images",
                "input_image_url",
                "input_image_urls",
                "init_image",
                "init_images",
                "init_image_url",
                "source_image",
                "source_images",
                "input_reference",
                "input_references",
                "frame_images",
            ),
        ),
        (
            FIRST,
            (
                "first_frame",
                "first_frame_image",
                "first_frame_url",
                "first_frame_image_url",
                "first_image",
                "start_frame",
                "start_frame_image",
                "start_image",
                "start_image_url",
            ),
        ),
        (
            LAST,
            (
                "last_frame",
                "last_frame_image",
                "last_frame_url",
                "last_frame_image_url",
                "last_image",
                "end_frame",
                "end_frame_image",
                "end_image",
                "end_image_url",
                "tail_image",
                "tail_image_url",
                "image_tail",
            ),
        ),
        (
            REFERENCE,
            (
                "reference_image",
                "reference_images",
                "reference_image_url",
                "reference_image_urls",
                "ref_image",
                "ref_images",
                "ref_image_url",
                "ref_image_urls",
            ),
        ),
    )
    for name in names
    for spelt in spellings(name)
}
#: What a message has beside that.
ATTACHMENTS: Final = frozenset({"attachments", "files"})


class Refusal(msgspec.Struct, frozen=True):
    """Names that ask for what none of the models does."""

    names: tuple[str, ...]
    #: What to do instead. `{name}` is the name as it was sent.
    advice: str
    #: Values that ask for what is done anyway, as texts in small letters.
    harmless: tuple[str, ...] = ()


_NO_VIDEO = "A video to work on is the 'video' of /v1/videos/edits or /v1/videos/extensions; leave '{name}' out here."
_SOUND = "Every video has sound; '{name}' cannot be switched off."

REFUSALS: Final = (
    Refusal(
        (
            "mask",
            "masks",
            "mask_url",
            "mask_image",
            "mask_image_url",
            "mask_base64",
            "mask_b64",
            "mask_data",
            "mask_file_id",
            "inpaint_mask",
            "input_image_mask",
            "markup",
            "markup_url",
            "markup_image",
        ),
        "These models do not take a '{name}': say in the prompt what shall change and what shall stay.",
    ),
    Refusal(
        ("negative_prompt",),
        "These models have no '{name}': say in the prompt what shall be seen, and what shall not.",
    ),
    Refusal(
        ("thinking_budget",),
        "The tokens of thinking cannot be chosen here; leave '{name}' out, or send a 'thinking_level'.",
        ("-1",),  # Google's word for: as the model likes
    ),
    Refusal(("background_options",), "There are no '{name}' here; leave it out."),
    Refusal(("video", "video_url", "input_video", "source_video", "reference_video", "reference_videos"), _NO_VIDEO),
    Refusal(("extend_video_id", "extend_from"), _NO_VIDEO),
    Refusal(("audio_url", "input_audio", "reference_audio"), "These models do not take sound; leave '{name}' out."),
    Refusal(("generate_audio", "with_audio", "enable_audio"), _SOUND, ("true",)),
    Refusal(
        ("fps", "frame_rate", "frames_per_second"),
        "Videos have 24 frames a second; '{name}' cannot be chosen.",
        ("24", "24.0"),  # Google's documents of Veo 3.1: 24 frames a second
    ),
    Refusal(("num_frames", "frame_num"), "The length of a video is told by 'seconds'; leave '{name}' out."),
    Refusal(
        ("person_generation",),
        "Which people are shown cannot be limited here; leave '{name}' out.",
        ("allow_all", "allow_adult"),
    ),
)
REFUSED: Final = {spelt: refusal for refusal in REFUSALS for name in refusal.names for spelt in spellings(name)}
#: Where chat programs put what a model may use.
TOOLS: Final = "tools"
#: The field of tools that search the web.
SEARCH: Final = "google_search"
