"""Answers of `generateContent` and `predict` (reference: `gemini-native-routes.md` section 3)."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

Modality = Literal["TEXT", "IMAGE"]


class Blob(msgspec.Struct, frozen=True, rename="camel"):
    """A picture as base64, a JSON string as it came from the upstream."""

    mime_type: str
    data: msgspec.Raw


class MadePart(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Words, or a picture."""

    text: str | UnsetType = UNSET
    inline_data: Blob | UnsetType = UNSET
    #: Google's own, so that a picture can be worked on in the next turn.
    thought_signature: str | UnsetType = UNSET


class MadeContent(msgspec.Struct, frozen=True):
    """What was made. Open WebUI fails if a refusal has no `content` with `parts`."""

    role: str
    parts: tuple[MadePart, ...]


class WebPage(msgspec.Struct, frozen=True):
    """A page that was found."""

    uri: str
    title: str


class GroundingChunk(msgspec.Struct, frozen=True):
    """One thing that was found."""

    web: WebPage


class SearchEntryPoint(msgspec.Struct, frozen=True, rename="camel"):
    """Google's suggestions of searches, as HTML."""

    rendered_content: str


class GroundingMetadata(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What was searched and found."""

    web_search_queries: tuple[str, ...]
    grounding_chunks: tuple[GroundingChunk, ...]
    search_entry_point: SearchEntryPoint | UnsetType = UNSET


class Candidate(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The one answer."""

    content: MadeContent
    finish_reason: str
    finish_message: str | UnsetType = UNSET
    grounding_metadata: GroundingMetadata | UnsetType = UNSET
    index: int = 0


class ModalityTokenCount(msgspec.Struct, frozen=True, rename="camel"):
    """Tokens of one kind."""

    modality: Modality
    token_count: int


class UsageMetadata(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What Google counted."""

    prompt_token_count: int
    candidates_token_count: int
    total_token_count: int
    prompt_tokens_details: tuple[ModalityTokenCount, ...]
    candidates_tokens_details: tuple[ModalityTokenCount, ...]


class GenerateContentResponse(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The answer. Flow counts no tokens, so its pictures have no `usageMetadata`."""

    candidates: tuple[Candidate, ...]
    usage_metadata: UsageMetadata | UnsetType = UNSET
    model_version: str | UnsetType = UNSET
    response_id: str | UnsetType = UNSET


class Prediction(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A picture of `predict`, or why there is none."""

    bytes_base64_encoded: msgspec.Raw | UnsetType = UNSET
    mime_type: str | UnsetType = UNSET
    rai_filtered_reason: str | UnsetType = UNSET


class PredictResponse(msgspec.Struct, frozen=True):
    """The answer of `predict`."""

    predictions: tuple[Prediction, ...]
