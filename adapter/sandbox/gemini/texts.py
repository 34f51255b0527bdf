"""The text models of the Gemini API: a few fixed words."""

import math
import re
import uuid
from typing import Final

import msgspec

from adapter.sandbox.gemini.wire import (
    Candidate,
    GenerateContentRequest,
    GenerateContentResponse,
    ModelInfo,
    OutContent,
    OutPart,
    UsageMetadata,
)
from adapter.sandbox.google_errors import GoogleError

#: `nano-banana-2.1.md` section 1. Requests for the last one are served by the first from December 2026 on.
MODELS: Final = ("gemini-3.5-flash-lite", "gemini-3.8-flash", "gemini-2.5-flash-lite", "gemini-2.5-flash")
WORDS: Final = "Emulated words"
#: The first member of the JSON that a prompt shows.
_MEMBER: Final = re.compile(r'\{\s*"([a-z_]+)":\s*(\[)?')


def written(model: str, request: GenerateContentRequest, prompt: str) -> GenerateContentResponse:
    """Answer with fixed words, as JSON of the form that the prompt shows if JSON is asked for.

    Raises:
        GoogleError: the refusal that Google would give.
    """
    if not request.contents or any(not content.parts for content in request.contents):
        raise GoogleError(400, "* GenerateContentRequest.contents: contents is not specified\n")
    text = WORDS
    if request.generation_config.response_mime_type == "application/json":
        shown = _MEMBER.search(prompt)
        name, many = (shown[1], bool(shown[2])) if shown else ("text", False)
        text = msgspec.json.encode({name: [WORDS] if many else WORDS}).decode()
    asked, said = math.ceil(len(prompt) / 4), math.ceil(len(text) / 4)
    return GenerateContentResponse(
        candidates=[Candidate(content=OutContent(parts=[OutPart(text=text)]), finish_reason="STOP")],
        usage_metadata=UsageMetadata(
            prompt_token_count=asked, candidates_token_count=said, total_token_count=asked + said
        ),
        model_version=model,
        response_id=uuid.uuid4().hex[:22],
    )


def listed(name: str) -> ModelInfo:
    """Describe a text model."""
    return ModelInfo(
        name=f"models/{name}",
        version=name.split("-")[1],
        display_name=name.replace("-", " ").title(),
        description="Text, emulated by the adapter's sandbox.",
        input_token_limit=1_048_576,
        output_token_limit=65_536,
        supported_generation_methods=["generateContent", "streamGenerateContent"],
        thinking=True,
    )
