"""Orders into Gemini's words and back. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec

from adapter.domain.media import Image, MediaFormat, Signatures, image_from_base64
from adapter.domain.orders import MAX_SEED, EarlierTurn, ImageOrder, TurnPart
from adapter.domain.texts import TextLimits, Turn
from adapter.domain.usage import Usage
from adapter.domain.whole_pictures import is_whole
from adapter.errors import (
    UNREADABLE_JSON,
    AdapterError,
    ContentRefused,
    NoMedia,
    UpstreamBroken,
    UpstreamForgot,
    UpstreamOverloaded,
)
from adapter.providers import rpc_status
from adapter.providers.gemini import wire
from adapter.providers.gemini.grounding import grounding_of
from adapter.providers.json_splice import cut, value_of
from adapter.providers.reply import Reply, is_text
from adapter.providers.salvage import salvaged
from adapter.redaction import fit_for_clients, without_controls

#: Finish reasons by which Gemini declines the content (`gemini.md` section 1.4). The others that come without a picture
#: (NO_IMAGE, IMAGE_OTHER, OTHER, MALFORMED_RESPONSE, …) are failures of the model, not judgements of the prompt.
REFUSALS = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
    }
)

#: Above it a JPEG grows and does not look better.
BEST_JPEG = 95

#: The filters that can be switched off; the built-in ones cannot (`gemini.md` section 1.3).
FILTERS_OFF = tuple(
    wire.SafetySetting(f"HARM_CATEGORY_{category}", "BLOCK_NONE")
    for category in ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
)

#: Google's words for a file that it no longer has, under the status of a missing right (`omni.md` section 3).
FORGOTTEN = re.compile(r"\bFile\b.* may not exist", re.DOTALL)

_F = TypeVar("_F", wire.File, wire.Uploaded)
_decoder = msgspec.json.Decoder(wire.GenerateContentAnswer)
_usage_decoder = msgspec.json.Decoder(wire.UsageMetadata)
_picture = value_of("data")


def image_request(
    order: ImageOrder,
    inputs: Sequence[Image],
    index: int,
    *,
    addresses: Sequence[str] = (),
    output_options: bool = False,
) -> wire.GenerateContentRequest:
    """Ask for the picture number `index` of an order.

    `addresses` are where Google has the inputs, if it has them. `output_options`: ask also for the picture's format, as
    Google Cloud allows.
    """
    pictures = [*(map(_file, inputs, addresses) if addresses else map(_input, inputs))]
    options = _output_options(order) if output_options else None
    frame = wire.ImageConfig(order.frame.ratio, order.frame.resolution, options)
    earlier = tuple(_earlier(turn, pictures) for turn in order.turns)
    shown = sum(part.picture is not None for turn in order.turns for part in turn.parts)
    return wire.GenerateContentRequest(
        contents=(*earlier, wire.Content((wire.TextPart(order.prompt), *pictures[shown:]))),
        generation_config=wire.GenerationConfig(
            response_modalities=("IMAGE",),
            image_config=frame if frame != wire.ImageConfig() else None,
            seed=None if order.seed is None else (order.seed + index) % (MAX_SEED + 1),
            thinking_config=None if order.thinking is None else wire.ThinkingConfig(order.thinking.upper()),
        ),
        safety_settings=FILTERS_OFF if order.lenient else (),
        tools=(wire.Tool(),) if order.grounded else (),
    )


def _output_options(order: ImageOrder) -> wire.ImageOutputOptions:
    """Ask for the format of an order. What is converted here in any case is asked for as PNG, which loses nothing."""
    if order.format is MediaFormat.JPEG and order.exact is None:
        return wire.ImageOutputOptions(MediaFormat.JPEG.mime, min(order.compression, BEST_JPEG))
    return wire.ImageOutputOptions(MediaFormat.PNG.mime)


def _earlier(turn: EarlierTurn, pictures: Sequence[wire.PicturePart]) -> wire.Content:
    return wire.Content(tuple(_earlier_part(part, pictures) for part in turn.parts), turn.role)


def _earlier_part(part: TurnPart, pictures: Sequence[wire.PicturePart]) -> wire.TextPart | wire.PicturePart:
    if part.picture is None:
        return wire.TextPart(part.text, part.signature)
    return msgspec.structs.replace(pictures[part.picture], thought_signature=part.signature)


def _input(image: Image) -> wire.InlinePart:
    return wire.InlinePart(wire.InlineData(image.format.mime, image.base64))


def _file(image: Image, address: str) -> wire.FilePart:
    return wire.FilePart(wire.FileData(image.format.mime, address))


def upload_request(image: Image, name: str) -> wire.UploadRequest:
    """Announce a picture to work from."""
    return wire.UploadRequest(wire.NewFile(name, image.format.mime, image.file_size))


def uploaded(reply: Reply) -> wire.File:
    """Return what became of an upload.

    Raises:
        AdapterError: an error body, or nothing that can be read.
    """
    return _of_files(reply, wire.Uploaded).file


def file(reply: Reply) -> wire.File:
    """Return how a file stands.

    Raises:
        AdapterError: an error body, or nothing that can be read.
    """
    return _of_files(reply, wire.File)


def _of_files(reply: Reply, kind: type[_F]) -> _F:
    if reply.status != 200:
        raise fault(reply)
    try:
        return msgspec.json.decode(reply.body, type=kind)
    except UNREADABLE_JSON as error:
        raise UpstreamBroken("Google's answer about a file cannot be read.") from error


def image(reply: Reply) -> Image:
    """Return the picture of an answer: the last one that is not a draft.

    Raises:
        ContentRefused: with Google's own words.
        NoMedia: an answer without a picture.
        AdapterError: an error body, or nothing that can be read.
    """
    if reply.status != 200:
        raise fault(reply)
    body, cut_out = cut(reply.body, _picture)
    answer, is_odd = _decoded(body)
    parts = [*_parts(answer)]
    pictures = [(part, part.inline_data.data) for part in parts if part.inline_data is not None]
    if not pictures:
        raise _unreadable() if is_odd else _why_none(answer, body, "picture")
    part, data = next((each for each in reversed(pictures) if bytes(each[1])[:1] == b'"'), pictures[-1])
    checked = cut_out.get(bytes(data))
    found = image_from_base64(data if checked is None else checked)
    if found is None:
        raise UpstreamBroken("Gemini's answer holds something that is not a picture.")
    if not is_whole(found, is_base64=checked is not None):
        raise UpstreamBroken("Gemini's answer holds a picture that is cut or broken.")
    return msgspec.structs.replace(
        found,
        usage=_usage(answer.usage_metadata),
        text=_written(parts),
        signatures=_signatures(part, parts),
        grounding=grounding_of(answer),
    )


def _signatures(picture: wire.AnswerPart, parts: Iterable[wire.AnswerPart]) -> Signatures | None:
    """Return what Gemini signed: the picture, and the first words (`gemini.md` section 1.4)."""
    of_words = next((part.thought_signature for part in parts if part.text and part.thought_signature), None)
    if not (picture.thought_signature or of_words):
        return None
    return Signatures(picture=picture.thought_signature or "", text=of_words or "")


def _parts(answer: wire.GenerateContentAnswer) -> Iterator[wire.AnswerPart]:
    """Yield what was generated, without the model's drafts and thoughts."""
    for candidate in answer.candidates or ():
        for part in (candidate.content and candidate.content.parts) or ():
            if not part.thought:
                yield part


def _written(parts: Iterable[wire.AnswerPart]) -> str:
    written = "".join([part.text for part in parts if part.text])
    return without_controls(written).strip() if written else ""


def text_request(turns: Sequence[Turn], limits: TextLimits) -> wire.GenerateTextRequest:
    """Ask for a text. The system prompt goes beside the turns. Without turns it is the only turn."""
    aside = tuple(wire.TextPart(turn.text) for turn in turns if turn.role == "system")
    said = tuple(
        wire.Content((wire.TextPart(turn.text),), "model" if turn.role == "assistant" else "user")
        for turn in turns
        if turn.role != "system"
    )
    return wire.GenerateTextRequest(
        contents=said or (wire.Content(aside),),
        generation_config=wire.TextConfig(limits.tokens, "application/json" if limits.json else ""),
        system_instruction=wire.Content(aside) if said and aside else None,
    )


def text(reply: Reply) -> str:
    """Return the text of an answer, without what the model thought.

    Raises:
        ContentRefused: with Google's own words.
        NoMedia: an answer without a text.
        AdapterError: an error body, or nothing that can be read.
    """
    if reply.status != 200:
        raise fault(reply)
    answer, is_odd = _decoded(reply.body)
    written = _written(_parts(answer))
    if not written:
        raise _unreadable() if is_odd else _why_none(answer, reply.body, "text")
    return written


def _decoded(body: bytes | bytearray) -> tuple[wire.GenerateContentAnswer, bool]:
    """Return an answer without its odd members, and whether it had any."""
    try:
        return _decoder.decode(body), False
    except UNREADABLE_JSON as error:
        answer = salvaged(body, wire.GenerateContentAnswer)
        if answer is None:
            raise _unreadable() from error
        return answer, True


def _unreadable() -> UpstreamBroken:
    return UpstreamBroken("Gemini's answer cannot be read.")


def _usage(metadata: msgspec.Raw) -> Usage | None:
    try:
        return usage(_usage_decoder.decode(metadata))
    except UNREADABLE_JSON:  # left out, null or odd
        return None


def usage(counted: wire.UsageMetadata) -> Usage:
    """Say in our words what Gemini counted: whatever is not a picture's is text's, thoughts included."""
    given = counted.prompt_token_count + counted.tool_use_prompt_token_count
    seen, drawn = _of_images(counted.prompt_tokens_details), _of_images(counted.candidates_tokens_details)
    made = max(counted.total_token_count - given, drawn)
    return Usage(input_text=max(given - seen, 0), input_image=seen, output_text=made - drawn, output_image=drawn)


def _of_images(details: tuple[wire.ModalityCount, ...] | None) -> int:
    return sum(count.token_count for count in details or () if count.modality == "IMAGE")


def _why_none(answer: wire.GenerateContentAnswer, body: bytes | bytearray, what: str) -> AdapterError:
    """Say why there is nothing in an answer. `NoMedia` leads to one more paid try, so the answer has to be readable."""
    if not answer.is_geminis or not is_text(body):
        return _unreadable()
    feedback = answer.prompt_feedback
    if feedback is not None and feedback.block_reason:
        said = feedback.block_reason_message or f"Gemini blocked the prompt: {feedback.block_reason}."
        return ContentRefused(fit_for_clients(said))
    candidates = answer.candidates or ()
    for candidate in candidates:
        if candidate.finish_reason in REFUSALS:
            return ContentRefused(fit_for_clients(candidate.finish_message or f"Gemini: {candidate.finish_reason}."))
    reasons = ", ".join(candidate.finish_reason or "no reason" for candidate in candidates) or "no candidates"
    return NoMedia(f"Gemini made no {what} ({fit_for_clients(reasons)}).")


def fault(reply: Reply) -> AdapterError:
    """Say what a refusal means. A 503 with a body is an overloaded model that did not start."""
    status = rpc_status.read_status(reply)
    if status is not None and reply.status in {403, 404} and FORGOTTEN.search(status.words):
        return UpstreamForgot(f"Google: {status.words}")
    if status is not None and reply.status == 503:
        return UpstreamOverloaded(f"Google: {status.words}", retry_after=status.retry_after)
    return rpc_status.fault_of(reply, status)
