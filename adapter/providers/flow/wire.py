"""Flow's JSON of pictures and credits, as far as we send or read it.

Source: seed 002, sections 1 (uploads) and 2 (pictures). Answers are read in every shape that the seed shows or
`flow.md` section 2 reports: an object or a bare list. Videos: `video_wire.py`.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

#: What Flow calls something. Names are ASCII without spaces (Google's AIP-122); ours have to be stored and sent again.
Name = Annotated[str, Meta(min_length=1, max_length=1024, pattern=r"^[!-~]+\Z")]
#: A link. A longer one would not be followed.
Url = Annotated[str, Meta(max_length=8192)]

#: What an account may still spend.
CreditCount = Annotated[int, Meta(ge=-(2**53), le=2**53)]
#: Google's word for what an account has paid for.
Tier = Annotated[str, Meta(max_length=64, pattern=r"^[A-Z_]+\Z")]


class ImageClientContext(msgspec.Struct, frozen=True, rename="camel"):
    """Who asks, for pictures."""

    #: `;` and Unix milliseconds.
    session_id: str


class UploadedImage(msgspec.Struct, frozen=True, rename="camel"):
    """A picture on its way to Flow."""

    #: Base64, a JSON string.
    raw_image_bytes: msgspec.Raw
    mime_type: str
    aspect_ratio: str
    is_user_uploaded: bool = True


class UploadClientContext(msgspec.Struct, frozen=True, rename="camel"):
    """Who uploads."""

    session_id: str
    tool: str


class UploadUserImage(msgspec.Struct, frozen=True, rename="camel"):
    """`POST /v1:uploadUserImage` (seed 002, section 1)."""

    image_input: UploadedImage
    client_context: UploadClientContext


class MediaGenerationId(msgspec.Struct, frozen=True, rename="camel"):
    """What Flow calls a picture."""

    media_generation_id: Name


class Uploaded(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to an upload."""

    media_generation_id: MediaGenerationId


class ImageInput(msgspec.Struct, frozen=True, rename="camel"):
    """An uploaded picture that a new one is made from."""

    name: str
    image_input_type: str = "IMAGE_INPUT_TYPE_REFERENCE"


class ImageRequest(msgspec.Struct, frozen=True, rename="camel"):
    """One picture."""

    client_context: ImageClientContext
    seed: int
    image_model_name: str
    image_aspect_ratio: str
    prompt: str
    image_inputs: tuple[ImageInput, ...] = ()


class BatchGenerateImages(msgspec.Struct, frozen=True):
    """`POST /v1/projects/{projectId}/flowMedia:batchGenerateImages`."""

    requests: tuple[ImageRequest, ...]


class GeneratedImage(msgspec.Struct, frozen=True, rename="camel"):
    """A finished picture: base64, or only a link in the newer form."""

    #: A JSON string; empty where the key is absent.
    encoded_image: msgspec.Raw = msgspec.Raw()
    #: A `Url`. It is read by itself: a picture is not lost for an odd link beside it.
    fife_url: msgspec.Raw = msgspec.Raw()


class ImageHolder(msgspec.Struct, frozen=True, rename="camel"):
    """The wrapper that the seed shows."""

    generated_image: GeneratedImage


class ImageAnswer(msgspec.Struct, frozen=True):
    """One picture of the answer, in the order of the requests."""

    image: ImageHolder


class ImagesObject(msgspec.Struct, frozen=True):
    """The newer, wrapped form of the bare list."""

    media: Annotated[tuple[ImageAnswer, ...], Meta(max_length=1000)]


class Credits(msgspec.Struct, frozen=True, rename="camel"):
    """The answer of `GET /v1/credits` (`flow.md` section 2)."""

    credits: CreditCount
    #: A word. It is read by itself: credits are not lost for an odd tier beside them.
    user_paygate_tier: msgspec.Raw = msgspec.Raw()
