"""Chat requests that want a title or tags, and not what the model makes (`frontends.md` sections 0.1, 2, R5).

A title that becomes a video costs money, and a prompt that gets a title costs its author one more try. Therefore both
is asked for: that the instruction itself begins as one of a known program does, and that it stands by what it is about.

- In the last message: a conversation is written in it, an answer came before it, or it wants JSON. The same words alone
  at the beginning of a conversation are a prompt, as are pictures beside them, and words anywhere but at the beginning.
- In a system message that stands first. People do not type prompts there, so no further condition is needed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from adapter.domain.side_calls import Phrasebook, SideCall, SideCallKind
from adapter.domain.texts import Turn as SaidTurn
from adapter.errors import InvalidRequest
from adapter.openai_api.read.context import ReadContext
from adapter.openai_api.read.fields import required
from adapter.openai_api.read.markup import split_model
from adapter.openai_api.read.transcripts import MOST_CHARACTERS, conversation_in, users_words
from adapter.openai_api.read.turns import Turn, beside, is_picture, parts_of, role_of, texts_of, turns_in
from adapter.openai_api.wire.chat import ChatRequest, ResponseFormat

#: The field that has the conversation.
PARAM = "messages"

#: NextChat and SillyTavern put some of their instructions into a system message at the end.
INSTRUCTING = frozenset({"user", "system", "developer"})

ROLES: Mapping[str, Literal["system", "user", "assistant"]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}

#: The members of the JSON that programs look for, by kind, and whether each is a list.
MEMBERS: Mapping[SideCallKind, Mapping[str, bool]] = {
    SideCallKind.TITLE: {"title": False},
    SideCallKind.TAGS: {"tags": True},
    SideCallKind.FOLLOW_UPS: {"follow_ups": True},
    SideCallKind.QUERIES: {"queries": True, "action": False},
    SideCallKind.AUTOCOMPLETE: {"text": False},
    SideCallKind.IMAGE_PROMPT: {"prompt": False},
    SideCallKind.TOOLS: {"tool_calls": True},
}


#: What a text model is told: of each message, and of so many of the last ones.
TURN_CHARACTERS = 4000
MOST_TURNS = 20

_DATA_URL = re.compile(r"data:[a-z]+/[^\s)\"']+", re.IGNORECASE)


def side_call(body: ChatRequest, context: ReadContext) -> SideCall | None:
    """Return the side call that a request is, as far as the operator's rules let it be one.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: it is one, and side calls are refused here.
    """
    found = find_side_call(body, context.phrasebook)
    if found is None:
        return None
    name, _ = split_model(required(body.media.model, "model"), context.catalogue)
    makes = context.catalogue.find(name).card.kind
    if context.refuse_side_calls:
        raise InvalidRequest(
            f"This looks like a chat program's request for '{found.kind}', and '{name}' makes {makes}s. Such "
            "requests are refused here (chat.side_calls). Choose a text model for them in the program, or switch them "
            "off there.",
            param=PARAM,
            code="side_call_refused",
        )
    return found


def turns_of(body: ChatRequest) -> tuple[SaidTurn, ...]:
    """Return a request's last messages as a text model takes them: without pictures, and none too long."""
    said = ((role_of(turn), _DATA_URL.sub("", _text(turn)[:MOST_CHARACTERS])) for turn in turns_in(body.messages))
    turns = [SaidTurn(ROLES[role], text[:TURN_CHARACTERS]) for role, text in said if role in ROLES and text]
    return tuple(turns[-MOST_TURNS:])


def find_side_call(body: ChatRequest, phrasebook: Phrasebook) -> SideCall | None:
    """Return the side call that a request is, or None: it wants what the model makes."""
    messages = turns_in(body.messages)
    if not messages:
        return None
    *earlier, last = messages
    instruction = _text(last)
    kind = phrasebook.kind_of(instruction) if role_of(last) in INSTRUCTING and not _has_pictures(last) else None
    if kind is not None:
        carried = conversation_in(instruction)
        members = _members(kind, instruction, body.response_format)
        if carried is not None or members or any(role_of(turn) == "assistant" for turn in earlier):
            said = tuple(_spoken(earlier)) if carried is None else users_words(carried)
            return SideCall(kind=kind, said=said, members=members)
    first = messages[0]
    kind = phrasebook.kind_of(_text(first)) if role_of(first) in {"system", "developer"} else None
    if kind is None:
        return None
    beside = [*_spoken(messages)]
    carried = (conversation_in(beside[-1]) if beside else None) or conversation_in(_text(first))
    return SideCall(
        kind=kind,
        said=users_words(carried) if carried else tuple(beside),
        members=_members(kind, _text(first), body.response_format),
    )


def _text(turn: Turn) -> str:
    return "\n".join(text for text in texts_of(turn) if text)


def _has_pictures(turn: Turn) -> bool:
    return any(is_picture(part) for part in parts_of(turn)) or any(True for _ in beside(turn, PARAM))


def _spoken(turns: Sequence[Turn]) -> Iterator[str]:
    for turn in turns:
        if role_of(turn) == "user" and (text := _text(turn)[:MOST_CHARACTERS]):
            yield text


def _members(kind: SideCallKind, instruction: str, wanted: object) -> Mapping[str, bool]:
    """Return what the schema of the request names, or what its text shows as JSON (`"title":`).

    None for a retry: JSON with empty members would be a wrong answer that looks right.
    """
    if kind is SideCallKind.RETRY:
        return {}
    own = MEMBERS.get(kind, {})
    try:
        form = msgspec.convert(wanted or {}, ResponseFormat)
    except msgspec.ValidationError:
        form = ResponseFormat()
    if form.json_schema is not None and form.json_schema.schema.properties:
        return {name: kind.type == "array" for name, kind in form.json_schema.schema.properties.items()}
    head = instruction[:MOST_CHARACTERS]
    shown = {name: many for name, many in own.items() if re.search(rf'"{name}"\s*:', head)}
    return shown or (dict([*own.items()][:1]) if form.type == "json_object" else {})
