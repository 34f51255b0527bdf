"""`generateContent` into an order for pictures."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from adapter.domain.catalogue import ImageCard
from adapter.domain.orders import ImageOrder
from adapter.errors import InvalidRequest
from adapter.google_api.read.bodies import media_of, read_native, refuse
from adapter.google_api.read.contents import parts_of, turns_of
from adapter.google_api.read.models import picture_card
from adapter.google_api.read.signed import read_signed_turns
from adapter.google_api.wire.requests import Content, GenerateContentRequest, GenerationConfig, Part, SafetySetting
from adapter.openai_api.read.context import ReadContext
from adapter.openai_api.read.conversation import Conversation, Wish, read_wish, request_for
from adapter.openai_api.read.fields import one_of
from adapter.openai_api.read.images import image_order
from adapter.openai_api.read.names import SEARCH
from adapter.openai_api.read.turns import Turn
from adapter.openai_api.wire.media import MediaRequest

#: What Google calls the conversation.
CONTENTS = "contents"
CONFIG = "generation_config"

#: Google's roles, and the names that the reader of conversations has for them.
ROLES: Mapping[str, str] = {"user": "user", "model": "assistant", "function": "tool"}
#: Kinds of parts that a user's turn may not have. Those of earlier turns mean nothing for a picture.
FOREIGN_PARTS = (
    "function_call",
    "function_response",
    "tool_call",
    "tool_response",
    "executable_code",
    "code_execution_result",
)
#: What an answer can have.
TEXT, IMAGE = "TEXT", "IMAGE"

#: The adjustable filters, and the thresholds that switch one off (reference: `gemini.md` section 1.3).
FILTERS = frozenset(
    f"HARM_CATEGORY_{name}" for name in ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
)
OFF = frozenset({"BLOCK_NONE", "OFF"})
#: Leaves a filter as it is.
UNSPECIFIED = "HARM_BLOCK_THRESHOLD_UNSPECIFIED"

WAY_OUT = "It is a picture of an earlier turn. Attach it again, or leave that turn out."


class ParsedGenerate(msgspec.Struct, frozen=True):
    """A request, and the order that it means."""

    order: ImageOrder
    #: Whether the answer may have words beside the picture.
    with_text: bool


def read_generate(body: bytes, model: str, context: ReadContext) -> ParsedGenerate:
    """Return the order that a request for a model means.

    The last turn of the user is the prompt, with its pictures. If it has none, they are the last ones before it, as in
    a chat. A system instruction stands before the prompt, because an order has one text.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is unknown or missing, or asks for what the model or this server cannot do.
        RequestTooLarge: it has too many values.
    """
    card = picture_card(model, context.catalogue)
    request = read_native(body, GenerateContentRequest)
    refuse(request.cached_content, "cached_content", "There are no cached contents here.")
    config = request.generation_config or GenerationConfig()
    media = _media(request, config, model, card)
    conversation = Conversation([*_turns(request.contents)], CONTENTS, context.media_links)
    signed = read_signed_turns(request.contents, context.media_links, card.inputs) if card.signs else None
    wish = read_wish(conversation, look_back=signed is None)
    order = image_order(request_for(_with_instruction(wish, request.system_instruction), media, CONTENTS), context)
    order = msgspec.structs.replace(order, is_signed=True)
    return ParsedGenerate(order if signed is None else signed.before(order), with_text=_with_text(config))


def _media(request: GenerateContentRequest, config: GenerationConfig, model: str, card: ImageCard) -> MediaRequest:
    """Return what the fields beside the conversation say."""
    _check_config(config)
    tree: dict[str, object] = {CONFIG: msgspec.to_builtins(config)}
    if request.tools:
        tree["tools"] = request.tools
    media = media_of(tree, model)
    _check_tools(request.tools or ())
    if media.n not in {None, 1}:
        raise InvalidRequest("Multiple candidates is not enabled for this model", param=media.called("n"))
    is_lenient = card.lenient and _are_off(request.safety_settings or ())
    return msgspec.structs.replace(media, n=1, moderation="low" if is_lenient else None)


def _check_config(config: GenerationConfig) -> None:
    for field in ("response_schema", "response_json_schema", "speech_config"):
        refuse(getattr(config, field), f"{CONFIG}.{field}", "These models make pictures.")
    if isinstance(config.response_format, list):
        name = f"{CONFIG}.response_format"
        raise InvalidRequest(f"'{name}' has to be an object here, not a list.", param=name)
    mime, name = config.response_mime_type or "text/plain", f"{CONFIG}.response_mime_type"
    one_of(mime, ["text/plain"], name)


def _check_tools(tools: Iterable[object]) -> None:
    """Refuse all tools but the one that searches the web.

    Raises:
        InvalidRequest: there is another one.
    """
    for at, tool in enumerate(tools):
        for name, value in tool.items() if isinstance(tool, dict) else ():
            if name != SEARCH and value is not None:
                place = f"tools[{at}].{name}"
                raise InvalidRequest(f"These models use one tool here, {SEARCH}. Leave '{place}' out.", param=place)


def _with_text(config: GenerationConfig) -> bool:
    """Return whether words may stand beside the picture: as Google has it, if the request does not say.

    Raises:
        InvalidRequest: the answer shall have no picture, or something else.
    """
    name = f"{CONFIG}.response_modalities"
    asked = {one_of(word.upper(), [TEXT, IMAGE], name) for word in config.response_modalities or (TEXT, IMAGE)}
    if IMAGE not in asked:
        raise InvalidRequest(f"These models make pictures: '{name}' has to have {IMAGE}.", param=name)
    return TEXT in asked


def _are_off(settings: Iterable[SafetySetting]) -> bool:
    """Return whether all adjustable filters shall be off. An order knows no single one.

    Raises:
        InvalidRequest: a filter shall be stricter, which this server cannot ask for.
    """
    off = set()
    for at, setting in enumerate(settings):
        name = f"safety_settings[{at}].threshold"
        if one_of(setting.threshold or UNSPECIFIED, [*sorted(OFF), UNSPECIFIED], name) in OFF:
            off.add(setting.category)
    return off >= FILTERS


def _with_instruction(wish: Wish, instruction: Content | None) -> Wish:
    """Return a wish whose words begin with the system instruction, and whose earlier pictures say what to do."""
    words = "\n".join(part.text for part in parts_of(instruction) if part.text)
    text = f"{words}\n\n{wish.text}" if words and wish.text.strip() else wish.text
    pictures = wish.pictures
    if wish.is_earlier:
        pictures = tuple(msgspec.structs.replace(one, advice=WAY_OUT) for one in pictures)
    return msgspec.structs.replace(wish, text=text, pictures=pictures)


def _turns(contents: Sequence[Content] | Content | None) -> Iterator[Turn]:
    """Yield the turns in the form that the reader of conversations knows.

    Raises:
        InvalidRequest: a role that there is not, or a part of the last user's turn that cannot be used.
    """
    turns = turns_of(contents)
    if not turns:
        raise InvalidRequest("* GenerateContentRequest.contents: contents is not specified", param=CONTENTS)
    roles = [one_of(turn.role or "user", list(ROLES), f"{CONTENTS}[{at}].role") for at, turn in enumerate(turns)]
    asked = max((at for at, role in enumerate(roles) if role == "user"), default=-1)
    for at, (turn, role) in enumerate(zip(turns, roles, strict=True)):
        if at == asked:
            _check_parts(turn, f"{CONTENTS}[{at}].parts")
        yield {"role": ROLES[role], "content": [part for one in parts_of(turn) for part in _said(one)]}


def _check_parts(turn: Content, place: str) -> None:
    for at, part in enumerate(parts_of(turn)):
        refuse(part.file_data, f"{place}[{at}].file_data", "Pictures come as inline_data here.")
        for field in FOREIGN_PARTS:
            refuse(getattr(part, field), f"{place}[{at}].{field}", "These models make pictures.")


def _said(part: Part) -> Iterator[Turn]:
    if part.text is not None:
        yield {"type": "text", "text": part.text}
    if part.inline_data is not None:
        yield {"type": "image", "data": part.inline_data.data}
