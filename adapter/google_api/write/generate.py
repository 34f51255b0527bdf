"""Pictures into the answers of `generateContent` and `predict`."""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import UNSET

from adapter.domain.grounding import Grounding
from adapter.domain.json_pieces import PLACE, filled
from adapter.domain.media import Image, Signatures
from adapter.domain.usage import Usage
from adapter.errors import ContentRefused, NoMedia
from adapter.google_api.wire.answers import (
    Blob,
    Candidate,
    GenerateContentResponse,
    GroundingChunk,
    GroundingMetadata,
    MadeContent,
    MadePart,
    ModalityTokenCount,
    Prediction,
    PredictResponse,
    SearchEntryPoint,
    UsageMetadata,
    WebPage,
)

_Pieces = Sequence[bytes | memoryview]

#: The reason of an answer that was refused. Google has several; its own words say which one it was.
REFUSED = "IMAGE_SAFETY"
#: The reason of an answer in which the model drew nothing.
NOTHING_DRAWN = "NO_IMAGE"


class NativeHeading(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of an answer beside its picture."""

    #: The provider's name of the model.
    model_version: str
    #: The same for every request that one execution answers.
    response_id: str
    #: Whether words may stand beside the picture.
    with_text: bool


def generated(image: Image, heading: NativeHeading) -> _Pieces:
    """Return the answer with a picture, whose base64 is not copied."""
    signed = image.signatures or Signatures()
    picture = MadePart(inline_data=Blob(image.format.mime, PLACE), thought_signature=signed.picture or UNSET)
    words = (
        [MadePart(text=image.text, thought_signature=signed.text or UNSET)] if image.text and heading.with_text else []
    )
    candidate = Candidate(
        content=MadeContent("model", (*words, picture)),
        finish_reason="STOP",
        grounding_metadata=UNSET if image.grounding is None else grounding_metadata(image.grounding),
    )
    answer = GenerateContentResponse(
        candidates=(candidate,),
        usage_metadata=UNSET if image.usage is None else usage_metadata(image.usage),
        model_version=heading.model_version,
        response_id=heading.response_id,
    )
    return filled(msgspec.json.encode(answer), [image])


def grounding_metadata(grounding: Grounding) -> GroundingMetadata:
    """Return searches in Google's form."""
    return GroundingMetadata(
        web_search_queries=grounding.queries,
        grounding_chunks=tuple(GroundingChunk(WebPage(source.url, source.title)) for source in grounding.sources),
        search_entry_point=SearchEntryPoint(grounding.suggestions) if grounding.suggestions else UNSET,
    )


def refused(fault: ContentRefused | NoMedia, model_version: str) -> GenerateContentResponse:
    """Return the answer without a picture.

    At Google neither a refusal nor a model that draws nothing is an error. So no client sends a paid request again.
    """
    reason = NOTHING_DRAWN if isinstance(fault, NoMedia) else REFUSED
    candidate = Candidate(content=MadeContent("model", ()), finish_reason=reason, finish_message=fault.message)
    return GenerateContentResponse(candidates=(candidate,), model_version=model_version)


def usage_metadata(usage: Usage) -> UsageMetadata:
    """Return usage in Google's form. What was thought counts as text."""
    return UsageMetadata(
        prompt_token_count=usage.input,
        candidates_token_count=usage.output,
        total_token_count=usage.total,
        prompt_tokens_details=tuple(_details(usage.input_text, usage.input_image)),
        candidates_tokens_details=tuple(_details(usage.output_text, usage.output_image)),
    )


def _details(text: int, image: int) -> Iterator[ModalityTokenCount]:
    if text:
        yield ModalityTokenCount("TEXT", text)
    if image:
        yield ModalityTokenCount("IMAGE", image)


def predicted(images: Sequence[Image]) -> _Pieces:
    """Return the answer of `predict` with pictures, whose base64 is not copied."""
    listed = (Prediction(bytes_base64_encoded=PLACE, mime_type=image.format.mime) for image in images)
    return filled(msgspec.json.encode(PredictResponse(tuple(listed))), images)


def filtered(fault: ContentRefused) -> PredictResponse:
    """Return the answer of `predict` for what was refused."""
    return PredictResponse((Prediction(rai_filtered_reason=fault.message),))
