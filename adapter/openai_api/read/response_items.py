"""The entries of a response's input: as a conversation, and as they are shown again."""

import re
from collections.abc import Iterator

import msgspec

from adapter.domain.side_calls import Phrasebook, SideCallKind
from adapter.openai_api.read.conversation import PICTURES
from adapter.openai_api.wire.chat import ContentPart, Message
from adapter.openai_api.wire.responses import (
    GivenImage,
    GivenItem,
    GivenMessage,
    GivenText,
    ImageCall,
    InputItem,
    OutputText,
)

IMAGE_CALL = "image_generation_call"
#: What the id of a drawn picture begins with.
DRAWN = "ig_"

_KEY = re.compile(r"[0-9a-f]{32}")

Input = str | tuple[InputItem, ...] | None


def _entries(given: Input) -> tuple[InputItem, ...]:
    return (InputItem(role="user", content=given),) if isinstance(given, str) else given or ()


def messages(given: Input) -> Iterator[Message]:
    """Yield the turns of an input. A picture that was drawn before is an answer's, with its base64 or by its id."""
    for item in _entries(given):
        if _is_message(item):
            yield Message(role=item.role or "", content=item.content)
        elif (picture := _drawn(item)) is not None:
            yield Message(role="assistant", content=None, images=(picture,))


def _is_message(item: InputItem) -> bool:
    return item.type in {None, "message"} and item.role is not None


def _drawn(item: InputItem) -> ContentPart | None:
    if item.type == IMAGE_CALL and item.result:
        return ContentPart(type="input_image", image_url=f"data:image/png;base64,{item.result}")
    if item.type in {IMAGE_CALL, "item_reference"} and item.id and item.id.startswith(DRAWN):
        return ContentPart(type="input_image", file_id=item.id)
    return None


def ends_in_answer(given: Input, phrasebook: Phrasebook, *, is_answered: bool) -> bool:
    """Say whether an answer of ours follows the last user message of an input, or an agent asks for another one.

    Agents send such inputs when they take the answer for a step on the way. The results of other tools are no answer:
    an agent that hands its work over to a picture's agent ends its input with one. `is_answered` says of the response
    before this input that it shows something.
    """
    for item in reversed(_entries(given)):
        if _is_answer(item) or (_is_message(item) and phrasebook.kind_of(_text(item)) is SideCallKind.RETRY):
            return True
        if _is_message(item) and item.role == "user":
            return False
    return is_answered


def _is_answer(item: InputItem) -> bool:
    """Say whether an entry is part of a finished answer. A client may have left the other parts out."""
    named = item.id or ""
    if item.type == IMAGE_CALL:
        return item.status in {None, "completed"}
    if item.type in {"item_reference", "reasoning"}:
        return named.startswith(DRAWN) or _is_ours(named, "rs_")
    return _is_message(item) and item.role == "assistant" and (_is_ours(named, "msg_") or _shows_picture(item))


def _shows_picture(item: InputItem) -> bool:
    """Say whether a message has a picture as a part: so LlamaIndex sends an answer back."""
    return isinstance(item.content, tuple) and any(part.type in PICTURES for part in item.content)


def _text(item: InputItem) -> str:
    if isinstance(item.content, str):
        return item.content
    return "\n".join(part.text for part in item.content or () if part.text)


def _is_ours(named: str, prefix: str) -> bool:
    """Tell an id of ours by its 32 hexadecimal digits; OpenAI's own are longer."""
    return named.startswith(prefix) and _KEY.fullmatch(named.removeprefix(prefix)) is not None


def last_drawn(given: Input) -> tuple[str, ...]:
    """Return the id of the picture of ours that an input shows last."""
    ids = (item.id for item in reversed(_entries(given)) if _drawn(item) is not None)
    return next(((found,) for found in ids if found and found.startswith(DRAWN)), ())


def given_items(given: Input, key: str) -> tuple[GivenItem, ...]:
    """Return the entries as they are shown again, without pictures that came as data: those are not kept."""
    numbered = enumerate(_entries(given))
    found = (_given(item, f"{key[:24]}{at:08x}") for at, item in numbered)
    return tuple(item for item in found if item is not None)


def _given(item: InputItem, key: str) -> GivenItem | None:
    if _is_message(item):
        role = item.role or ""
        parts = (ContentPart(type="input_text", text=item.content),) if isinstance(item.content, str) else item.content
        return GivenMessage(
            id=item.id or f"msg_{key}", role=role, content=tuple(_part(part, role) for part in parts or ())
        )
    if item.type == IMAGE_CALL:
        return ImageCall(id=item.id or f"{DRAWN}{key}", status="completed", result=msgspec.Raw(b"null"))
    return None


def _part(part: ContentPart, role: str) -> GivenText | GivenImage | OutputText:
    if role == "assistant":
        return OutputText(text=part.text or "")
    if part.type not in PICTURES:
        return GivenText(text=part.text or "")
    address = part.image_url if isinstance(part.image_url, str) else part.image_url and part.image_url.url
    address = address or part.file_url
    is_data = address is None or address.strip()[:5].lower() == "data:"
    return GivenImage(detail=part.detail or "auto", image_url=None if is_data else address, file_id=part.file_id)
