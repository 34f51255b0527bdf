"""Gemini's answers: parts, usage and refusals (`gemini.md` section 1.4). Pure functions over wire structs."""

import hashlib
import math
import uuid
from html import escape
from typing import Final

import msgspec

from adapter.sandbox.gemini.models import ImageModel
from adapter.sandbox.gemini.wire import (
    Candidate,
    GenerateContentResponse,
    GroundingChunk,
    GroundingMetadata,
    ModalityCount,
    OutBlob,
    OutContent,
    OutPart,
    PromptFeedback,
    SearchEntryPoint,
    UsageMetadata,
    WebPage,
)

#: Two pictures were 516 tokens in the captured example of `gemini.md` section 1.4.
INPUT_PICTURE_TOKENS: Final = 258
#: Tokens of thinking by level. Google names none at `minimal` (`gemini.md` section 1.4); the others are made up.
THOUGHTS: Final = {"MINIMAL": 0, "MEDIUM": 104, "HIGH": 208}
#: candidatesTokenCount of Gemini 3 exceeds the sum of its details by at least this (same place).
UNITEMISED_TOKENS: Final = 88

_FILTERED: Final = (
    "Unable to show the generated image. The image was filtered out because it violated Google's Generative AI "
    "Prohibited Use policy. You will not be charged for blocked images. Try rephrasing the prompt."
)
_NOTHING: Final = (
    "Unable to show the generated image. The model could not generate the image based on the prompt provided."
)
#: Magic words of prompts, with finishReason and finishMessage.
REFUSALS: Final = {"[image_safety]": ("IMAGE_SAFETY", _FILTERED), "[no_image]": ("NO_IMAGE", _NOTHING)}
BLOCKED: Final = "[blocked]"
#: What a search finds, and where the links to it lead first.
_FOUND: Final = ("example.org", "example.com")
_REDIRECT: Final = "https://vertexaisearch.cloud.google.com/grounding-api-redirect/"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the request comes to, once it has been checked."""

    model: ImageModel
    prompt: str
    pictures: tuple[bytes, ...]
    #: How many pictures there are in all turns, the model's own too.
    seen: int
    ratio: str
    image_size: str
    seed: int
    text: bool
    image: bool
    drafts: bool
    #: The level of thinking, or nothing where the request does not say.
    level: str = ""
    searches: bool = False

    def usage(self) -> UsageMetadata:
        """Count the tokens of the prompt alone, as a refusal reports them."""
        text = math.ceil(len(self.prompt) / 4)
        pictures = INPUT_PICTURE_TOKENS * self.seen
        details = [ModalityCount(modality="TEXT", token_count=text)]
        if pictures:
            details.append(ModalityCount(modality="IMAGE", token_count=pictures))
        return UsageMetadata(
            prompt_token_count=text + pictures,
            total_token_count=text + pictures,
            prompt_tokens_details=details,
        )


def signature_of(picture: bytes) -> bytes:
    """Return what a picture is signed with."""
    return hashlib.sha256(picture).digest()


def refusal(asked: Asked) -> GenerateContentResponse | None:
    """Return an HTTP 200 without a picture for a prompt with a magic word; None for any other."""
    if BLOCKED in asked.prompt:
        return _response(asked, [], asked.usage(), PromptFeedback(block_reason="PROHIBITED_CONTENT"))
    for word, (reason, message) in REFUSALS.items():
        if word in asked.prompt:
            candidate = Candidate(finish_reason=reason, finish_message=message)
            return _response(asked, [candidate], asked.usage())
    return None


def answer(asked: Asked, png: bytes, *, mime: str = "image/png") -> GenerateContentResponse:
    """Answer with the picture, after a sentence if text was asked for, and after drafts if thoughts were."""
    parts: list[OutPart] = []
    if asked.drafts:
        draft = OutPart(inline_data=OutBlob(mime_type=mime, data=png), thought=True)
        parts += [OutPart(text="**Composing the picture**", thought=True), draft, draft]
    if asked.text:
        parts.append(OutPart(text=f"Here is your picture: {asked.prompt}"))
    if asked.image:
        parts.append(OutPart(inline_data=OutBlob(mime_type=mime, data=png), thought_signature=signature_of(png)))
    candidate = Candidate(
        content=OutContent(parts=parts),
        finish_reason="STOP",
        grounding_metadata=grounding(asked.prompt) if asked.searches else None,
    )
    return _response(asked, [candidate], _full_usage(asked, parts))


def grounding(prompt: str) -> GroundingMetadata:
    """Return what a search found: two pages, whose titles are the names of their hosts, as Google has them."""
    return GroundingMetadata(
        web_search_queries=[prompt],
        grounding_chunks=[GroundingChunk(web=WebPage(uri=f"{_REDIRECT}{host}", title=host)) for host in _FOUND],
        search_entry_point=SearchEntryPoint(rendered_content=f'<div class="container">{escape(prompt)}</div>'),
    )


def chunks(whole: GenerateContentResponse) -> list[GenerateContentResponse]:
    """Return an answer as a stream: a part per chunk, the last one empty, with the finish and the full usage."""
    if not whole.candidates or whole.candidates[0].content is None:
        return [whole]
    last = whole.candidates[0]
    parts = whole.candidates[0].content.parts
    running = [Candidate(content=OutContent(parts=[part])) for part in parts]
    ending = msgspec.structs.replace(last, content=OutContent(parts=[OutPart(text="")]))
    return [
        *(msgspec.structs.replace(whole, candidates=[one], usage_metadata=None) for one in running),
        msgspec.structs.replace(whole, candidates=[ending]),
    ]


def _full_usage(asked: Asked, parts: list[OutPart]) -> UsageMetadata:
    prompt = asked.usage()
    picture = asked.model.tokens[asked.image_size] if asked.image else 0
    text = sum(math.ceil(len(part.text) / 4) for part in parts if part.text and not part.thought)
    spent = picture + text + (UNITEMISED_TOKENS if asked.model.thinks else 0)
    thoughts = THOUGHTS.get(asked.level, asked.model.thoughts) if asked.model.levels else asked.model.thoughts
    return msgspec.structs.replace(
        prompt,
        candidates_token_count=spent,
        thoughts_token_count=thoughts,
        total_token_count=prompt.prompt_token_count + spent + thoughts,
        candidates_tokens_details=[ModalityCount(modality="IMAGE", token_count=picture)] if picture else [],
    )


def _response(
    asked: Asked, candidates: list[Candidate], usage: UsageMetadata, feedback: PromptFeedback | None = None
) -> GenerateContentResponse:
    return GenerateContentResponse(
        candidates=candidates,
        prompt_feedback=feedback,
        usage_metadata=usage,
        model_version=asked.model.name,
        response_id=uuid.uuid4().hex[:22],
    )
