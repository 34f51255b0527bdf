"""The entries of a response's input: as a conversation, and as they are shown again."""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from adapter.domain.ids import Id
from adapter.domain.side_calls import Phrasebook, SideCallKind
from adapter.openai_api.read.pictures import address_of
from adapter.openai_api.read.turns import Turn, is_picture, parts_of, role_of, texts_of, turns_in, words_of
from adapter.openai_api.wire.responses import (
    GivenImage,
    GivenItem,
    GivenMessage,
    GivenText,
    ImageCall,
    OutputText,
)

IMAGE_CALL = "image_generation_call"

_KEY = re.compile(r"[0-9a-f]{32}")

Input = str | tuple[object, ...] | None
ExecutionRecord = Mapping[str, object]


def _entries(given: Input) -> Sequence[ExecutionRecord]:
    return [{"role": "user", "content": given}] if isinstance(given, str) else turns_in(given)


def messages(given: Input) -> Iterator[Turn]:
    """Yield the turns of an input. A picture that was drawn before is an answer's, with its base64 or by its id."""
    for item in _entries(given):
        if _is_message(item):
            yield item
        elif (picture := _drawn(item)) is not None:
            yield {"role": "assistant", "content": [picture]}


def _is_message(item: ExecutionRecord) -> bool:
    return item.get("type") in {None, "message"} and bool(role_of(item))


def _drawn(item: ExecutionRecord) -> Turn | None:
    kind, key, result = item.get("type"), item.get("id"), item.get("result")
    if kind == IMAGE_CALL and isinstance(result, str) and result:
        return {"type": "input_image", "b64_json": result}
    if kind in {IMAGE_CALL, "item_reference"} and isinstance(key, str) and key.startswith(Id.IMAGE_CALL):
        return {"type": "input_image", "file_id": key}
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
        if _is_message(item) and role_of(item) == "user":
            return False
    return is_answered


def _is_answer(item: ExecutionRecord) -> bool:
    """Say whether an entry is part of a finished answer. A client may have left the other parts out."""
    kind, named = item.get("type"), _name_of(item)
    if kind == IMAGE_CALL:
        return item.get("status") in {None, "completed"}
    if kind in {"item_reference", "reasoning"}:
        return named.startswith(Id.IMAGE_CALL) or _is_ours(named, Id.REASONING)
    return _is_message(item) and role_of(item) == "assistant" and (_is_ours(named, Id.MESSAGE) or _shows_picture(item))


def _name_of(item: ExecutionRecord) -> str:
    named = item.get("id")
    return named if isinstance(named, str) else ""


def _shows_picture(item: ExecutionRecord) -> bool:
    """Say whether a message has a picture as a part: so LlamaIndex sends an answer back."""
    return any(is_picture(part) for part in parts_of(item))


def _text(item: ExecutionRecord) -> str:
    return "\n".join(filter(None, texts_of(item)))


def _is_ours(named: str, prefix: str) -> bool:
    """Tell an id of ours by its 32 hexadecimal digits; OpenAI's own are longer."""
    return named.startswith(prefix) and _KEY.fullmatch(named.removeprefix(prefix)) is not None


def last_drawn(given: Input) -> tuple[str, ...]:
    """Return the id of the picture of ours that an input shows last."""
    ids = (_name_of(item) for item in reversed(_entries(given)) if _drawn(item) is not None)
    return next(((found,) for found in ids if found.startswith(Id.IMAGE_CALL)), ())


def given_items(given: Input, key: str) -> tuple[GivenItem, ...]:
    """Return the entries as they are shown again, without pictures that came as data: those are not kept."""
    numbered = enumerate(_entries(given))
    found = (_given(item, f"{key[:24]}{at:08x}") for at, item in numbered)
    return tuple(item for item in found if item is not None)


def _given(item: ExecutionRecord, key: str) -> GivenItem | None:
    own = item.get("id")
    if _is_message(item):
        role, content = role_of(item), item.get("content")
        parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else parts_of(item)
        name = own if isinstance(own, str) and own else Id.MESSAGE.of(key)
        return GivenMessage(id=name, role=role, content=tuple(_part(part, role) for part in parts))
    if item.get("type") == IMAGE_CALL:
        name = own if isinstance(own, str) and own else Id.IMAGE_CALL.of(key)
        return ImageCall(id=name, status="completed", result=msgspec.Raw(b"null"))
    return None


def _part(part: Turn, role: str) -> GivenText | GivenImage | OutputText:
    if role == "assistant":
        return OutputText(text=words_of(part))
    if not is_picture(part):
        return GivenText(text=words_of(part))
    address, file_id, detail = address_of(part), part.get("file_id"), part.get("detail")
    return GivenImage(
        detail=detail if isinstance(detail, str) and detail else "auto",
        image_url=address,
        file_id=file_id if isinstance(file_id, str) else None,
    )
