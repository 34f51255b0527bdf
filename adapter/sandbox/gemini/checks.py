"""What Google refuses of a generateContent request (`gemini.md` sections 1.1, 1.3 and 3, seed 003)."""

import secrets

from adapter.sandbox.gemini.answer import Asked, signature_of
from adapter.sandbox.gemini.files import Files
from adapter.sandbox.gemini.models import MODELS, ImageModel, nearest_ratio
from adapter.sandbox.gemini.wire import Content, GenerateContentRequest, Part, ThinkingConfig, Tool
from adapter.sandbox.google_errors import FieldViolation, GoogleError, bad_fields, bad_value
from adapter.sandbox.renderer.pictures import decoded, measured, sniffed

_UNREADABLE = (
    "Unable to process input image. "
    "Please retry or report in https://developers.generativeai.google/guide/troubleshooting"
)
_IMAGE_CONFIG = "generation_config.image_config"
NO_FILES: Files = {}
#: All levels that there are (google-genai 3.6.1); an empty one is none.
LEVELS = ("", "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")


def known_model(name: str, version: str, method: str) -> ImageModel:
    """Return the model of that name.

    Raises:
        GoogleError: 404 in Google's words when there is none.
    """
    if name.startswith("gemini-omni-"):
        raise GoogleError(400, "This model only supports Interactions API.")
    model = MODELS.get(name)
    if model is None:
        raise unknown_model(name, version, method)
    return model


def unknown_model(name: str, version: str, method: str) -> GoogleError:
    """Return the refusal of a model that there is not."""
    return GoogleError(
        404,
        f"models/{name} is not found for API version {version}, or is not supported for {method}. "
        "Call ListModels to see the list of available models and their supported methods.",
    )


def asked(model: ImageModel, request: GenerateContentRequest, files: Files = NO_FILES) -> Asked:
    """Return the request as an order. Decodes and measures the pictures: call it in a thread.

    `files` has the bytes of the files that the request names, as far as there are such files.

    Raises:
        GoogleError: the refusal that Google would give.
    """
    config = request.generation_config
    if config.candidate_count != 1:
        raise GoogleError(400, "Multiple candidates is not enabled for this model")
    pictures, seen = _checked_contents(model, request.contents, files)
    modalities = _modalities(config.response_modalities)
    thinking = config.thinking_config
    if thinking:
        _check_thinking(model, thinking)
    ratio, image_size = _shape(model, request, pictures)
    return Asked(
        model=model,
        prompt=prompt_of(request),
        pictures=pictures,
        seen=seen,
        ratio=ratio,
        image_size=image_size,
        seed=secrets.randbelow(2**31) if config.seed is None else config.seed,
        text="TEXT" in modalities,
        image="IMAGE" in modalities,
        drafts=bool(thinking and thinking.include_thoughts),
        level=thinking.thinking_level.upper() if thinking else "",
        searches=_searches(model, request.tools),
    )


def _check_thinking(model: ImageModel, thinking: ThinkingConfig) -> None:
    """Check the level (`nano-banana-2.1.md` section 3)."""
    level = thinking.thinking_level.upper()
    if not model.thinks:
        raise GoogleError(400, "Thinking is not enabled for this model")
    if level not in LEVELS:
        path = "generation_config.thinking_config.thinking_level"
        raise bad_value(path, f'(Enum value), "{thinking.thinking_level}"')
    if level and model.levels and level not in model.levels:
        raise GoogleError(
            400, f"Thinking level {level} is not supported for this model. Please retry with other thinking level."
        )


def _searches(model: ImageModel, tools: list[Tool]) -> bool:
    asked_for = any(tool.google_search is not None for tool in tools)
    if asked_for and not model.searches:
        raise GoogleError(400, "Search Grounding is not supported.")
    return asked_for


def prompt_of(request: GenerateContentRequest) -> str:
    """Return the words of the last turn."""
    if not request.contents:
        return ""
    return "\n".join(part.text for part in request.contents[-1].parts if part.text and not part.thought)


def _checked_contents(model: ImageModel, contents: list[Content], files: Files) -> tuple[tuple[bytes, ...], int]:
    """Return the pictures of the user's turns, and how many all turns have.

    Refuse whatever is missing or wrong in any turn.
    """
    if not contents:
        raise _missing("contents", "contents is not specified")
    pictures: list[bytes] = []
    seen = 0
    for at, content in enumerate(contents):
        if content.role not in {"", "user", "model"}:
            raise GoogleError(400, "Please use a valid role: user, model.")
        if not content.parts:
            raise _missing(f"contents[{at}].parts", "contents.parts must not be empty.")
        found = [_picture(part, f"contents[{at}].parts[{place}]", files) for place, part in enumerate(content.parts)]
        seen += sum(picture is not None for picture in found)
        if content.role != "model":
            pictures += [picture for picture in found if picture is not None]
        elif not model.is_2_5:
            _check_signatures(content, found, at)
    if len(pictures) > model.inputs:
        raise GoogleError(
            400, f"Please ensure that the number of input images is at most {model.inputs} for this model."
        )
    return tuple(pictures), seen


def _check_signatures(content: Content, pictures: list[bytes | None], at: int) -> None:
    """Refuse a picture of the model's that came back without its signature, or with another one."""
    for place, (part, picture) in enumerate(zip(content.parts, pictures, strict=True)):
        if picture is None or part.thought:
            continue
        if not part.thought_signature:
            raise GoogleError(400, f"Image part is missing a thought_signature in contents[{at}].parts[{place}].")
        if decoded(part.thought_signature) != signature_of(picture):
            raise GoogleError(400, f"Thought signature is not valid in contents[{at}].parts[{place}].")


def _picture(part: Part, path: str, files: Files) -> bytes | None:
    """Return the picture of a part that holds one; None for text."""
    if part.thought_signature and decoded(part.thought_signature) is None:
        raise bad_value(f"{path}.thought_signature", "(TYPE_BYTES), Base64 decoding failed")
    if part.file_data is not None:
        uri = part.file_data.file_uri
        if uri not in files:
            file = uri.rsplit("/", 1)[-1]
            raise GoogleError(403, f"You do not have permission to access the File {file} or it may not exist.")
        return _readable(files[uri])
    if part.inline_data is None:
        if part.text is None and not part.thought_signature:
            raise _missing(f"{path}.data", "required oneof field 'data' must have one initialized field")
        return None
    data = decoded(part.inline_data.data)
    if data is None:
        raise bad_value(f"{path}.inline_data.data", "(TYPE_BYTES), Base64 decoding failed")
    mime = part.inline_data.mime_type
    if mime not in {"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}:
        raise GoogleError(400, f"Unsupported MIME type: {mime}")
    real = sniffed(_readable(data)) or ""
    if real.replace("heif", "heic") != mime.replace("heif", "heic"):
        raise GoogleError(400, f"Unhandled generated data mime type: {mime}")
    return data


def _readable(data: bytes) -> bytes:
    """Return a file that is a picture."""
    real = sniffed(data)
    if not real or (real not in {"image/heic", "image/heif"} and measured(data) is None):
        raise GoogleError(400, _UNREADABLE)
    return data


def _modalities(asked_for: list[str]) -> set[str]:
    """Read the modalities in any case; TEXT and IMAGE by default (`gemini.md` section 8.4 point 3)."""
    modalities = {modality.upper() for modality in asked_for} or {"TEXT", "IMAGE"}
    if modalities - {"TEXT", "IMAGE"}:
        raise bad_value("generation_config.response_modalities", f"(Modality), {sorted(modalities)}")
    return modalities


def _shape(model: ImageModel, request: GenerateContentRequest, pictures: tuple[bytes, ...]) -> tuple[str, str]:
    """Return ratio and image size, with Google's defaults: the last input's shape, else 1:1; 1K."""
    config = request.generation_config.image_config
    ratio = config.aspect_ratio if config else ""
    image_size = config.image_size if config and config.image_size else "1K"
    if ratio and ratio not in model.ratios:
        raise bad_value(f"{_IMAGE_CONFIG}.aspect_ratio", f'"{ratio}", supported: {", ".join(model.ratios)}')
    if image_size not in model.tokens:
        raise bad_value(f"{_IMAGE_CONFIG}.image_size", f'"{image_size}", supported: {", ".join(model.tokens)}')
    if ratio:
        return ratio, image_size
    size = measured(pictures[-1]) if pictures else None
    return (nearest_ratio(model, *size) if size else "1:1"), image_size


def _missing(path: str, why: str) -> GoogleError:
    text = f"* GenerateContentRequest.{path}: {why}\n"
    return bad_fields(FieldViolation(path, text))
