"""A request of the Responses API into an order: the image tool's, or a video."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

import msgspec
from msgspec import UNSET

from adapter.domain.catalogue import LONGEST_NAME, TextCard, VideoCard
from adapter.domain.media_links import MediaLinks
from adapter.domain.orders import FileIdSource, ImageOrder, LinkSource, Source, StoredSource, VideoDraft
from adapter.errors import InvalidRequest, UnknownModel
from adapter.openai_api.read.chat import conversation_video_draft
from adapter.openai_api.read.context import ReadContext
from adapter.openai_api.read.conversation import Conversation, read_wish, request_for, with_fields, without_roles
from adapter.openai_api.read.fields import one_of, required
from adapter.openai_api.read.images import image_order
from adapter.openai_api.read.markup import split_model
from adapter.openai_api.read.media import contradiction, read_tree
from adapter.openai_api.read.response_items import ends_in_answer, last_drawn, messages
from adapter.openai_api.read.turns import Turn
from adapter.openai_api.wire.media import MediaRequest
from adapter.openai_api.wire.responses import EchoedFields, ImageTool, ResponsesRequest

PARAM = "input"
TOOL = "image_generation"
#: What draws where neither the tool nor the request names a model of ours.
DEFAULT_MODEL = "gpt-image-1"
#: Chat models, which call the tool at OpenAI's; here the tool is all that they do.
CHAT_MODELS = ("gpt-*", "chatgpt-*", "o[1-9]*")


class ResponsePlan(msgspec.Struct, frozen=True):
    """What a request comes to: an order, or nothing to make."""

    #: None if the input has its answer already: then nothing is made.
    order: ImageOrder | VideoDraft | None
    #: The model as the response names it.
    model: str
    #: What the response repeats of it.
    echoed: EchoedFields
    #: The pictures in sight, as a client would name them.
    sight: tuple[str, ...]

    @property
    def prompt(self) -> str:
        """What is drawn."""
        if self.order is None:
            return ""
        return self.order.order.prompt if isinstance(self.order, VideoDraft) else self.order.prompt

    @property
    def edits(self) -> bool:
        """Whether it is drawn from pictures."""
        return self.order is not None and bool(self.order.sources)


def read_response(
    body: ResponsesRequest, context: ReadContext, sight: Sequence[str], *, is_answered: bool = False
) -> ResponsePlan:
    """Return what a request means; `sight` is what the response before it has in sight.

    `is_answered` says whether that response shows something: then an input without a user message asks for nothing.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is missing, or asks for what the model or this server cannot do.
    """
    _refuse_what_is_not_done(body)
    if body.previous_response_id is None and not is_answered:
        required(body.input, PARAM)
    tool = _tool(body)
    conversation = Conversation([*_shown(sight), *messages(body.input)], PARAM, context.media_links)
    model, is_video = body.media.model or DEFAULT_MODEL, _is_video(body, tool, context)
    if ends_in_answer(body.input, context.phrasebook, is_answered=is_answered):
        return ResponsePlan(None, model, _echoed(body), last_drawn(body.input) or tuple(sight))
    if is_video:
        order: ImageOrder | VideoDraft = _video(body, conversation, context)
    else:
        order = _picture(body, tool, conversation, context)
    named = tuple(name for source in order.sources if (name := _name(source, context.media_links)))
    return ResponsePlan(order, model, _echoed(body), named or tuple(sight))


def _refuse_what_is_not_done(body: ResponsesRequest) -> None:
    for field in ("conversation", "prompt"):
        if getattr(body, field) is not None:
            name = body.called(field)
            raise InvalidRequest(f"There is no '{name}' here; send the input or 'previous_response_id'.", param=name)
    if body.background and body.store is False:
        raise InvalidRequest(
            "What is made in the background has to be stored to be found again.", param=body.called("store")
        )


def _tool(body: ResponsesRequest) -> ImageTool | None:
    """Return the image tool; other tools are tolerated and mean nothing."""
    for at, given in enumerate(body.tools or ()):
        if isinstance(given, dict) and given.get("type") == TOOL:
            tool = read_tree(given, ImageTool, inside=f"tools[{at}]")
            _check_choice(body)
            return tool
    return None


def _check_choice(body: ResponsesRequest) -> None:
    choice = body.tool_choice
    kind = choice.get("type") if isinstance(choice, dict) else choice
    if kind not in {None, "auto", "required", TOOL, "allowed_tools"}:
        raise InvalidRequest(
            f"Only the tool '{TOOL}' does anything here. Allowed: auto, required, {{'type': '{TOOL}'}}.",
            param=body.called("tool_choice"),
        )


def _is_video(body: ResponsesRequest, tool: ImageTool | None, context: ReadContext) -> bool:
    """Say what kind of model is asked for. A name that is not ours is a chat model's, which needs the tool."""
    name = required(body.media.model, "model") if tool is None else body.media.model
    if name is None or (tool is not None and _is_chat_model(name, context)):
        return False
    card = context.catalogue.find(split_model(name, context.catalogue)[0]).card
    if isinstance(card, TextCard):
        raise InvalidRequest(
            f"The model '{name}' writes texts, by POST /v1/chat/completions. Here it only calls the tool '{TOOL}'.",
            param=body.called("model"),
        )
    if not isinstance(card, VideoCard):
        return False
    if tool is not None:
        raise InvalidRequest(
            f"The model '{name}' makes videos; leave the tool '{TOOL}' out.", param=body.called("tools")
        )
    return True


def _is_chat_model(name: str, context: ReadContext) -> bool:
    try:
        return isinstance(context.catalogue.find(name).card, TextCard)
    except UnknownModel:
        return len(name) <= LONGEST_NAME and any(fnmatchcase(name, pattern) for pattern in CHAT_MODELS)


def _video(body: ResponsesRequest, conversation: Conversation, context: ReadContext) -> VideoDraft:
    name, _ = split_model(required(body.media.model, "model"), context.catalogue)
    return conversation_video_draft(msgspec.structs.replace(body.media, model=name), conversation, context)


def _picture(
    body: ResponsesRequest, tool: ImageTool | None, conversation: Conversation, context: ReadContext
) -> ImageOrder:
    media = _merged(body.media, MediaRequest() if tool is None else tool.media, context)
    action = _action(media, tool)
    wish = without_roles(read_wish(conversation, look_back=action != "generate" and not media.pictures))
    wish = with_fields(wish, media, conversation)
    if action == "edit" and not wish.pictures:
        raise InvalidRequest("There is no picture to edit.", param=PARAM)
    return image_order(request_for(wish, media, PARAM), context)


def _merged(beside: MediaRequest, tool: MediaRequest, context: ReadContext) -> MediaRequest:
    """Return what the tool says, and what the request says beside it.

    Raises:
        InvalidRequest: they contradict each other.
    """
    if beside.model and _is_chat_model(beside.model, context):
        beside = msgspec.structs.replace(beside, model=None)
    said: dict[str, object] = {"model": tool.model or beside.model or DEFAULT_MODEL}
    for field in beside.__struct_fields__:
        one, other = getattr(tool, field), getattr(beside, field)
        if field in {"model", "names"} or other in (None, ()):
            continue
        if one not in (None, ()) and one != other:
            raise contradiction(tool.called(field), beside.called(field))
        said[field] = other
    return msgspec.structs.replace(tool, **said, names={**beside.names, **tool.names})


def _action(media: MediaRequest, tool: ImageTool | None) -> str:
    """Refuse what a call of the tool does not have beside what no picture has; return what it shall do."""
    if media.n not in {None, 1}:
        name = media.called("n")
        raise InvalidRequest(f"A call of the tool makes one picture; '{name}' has to be 1.", param=name)
    action = None if tool is None else tool.action
    return one_of(action or "auto", ["auto", "generate", "edit"], media.called("action"))


def _shown(sight: Sequence[str]) -> Iterator[Turn]:
    """Yield the turn that showed the pictures in sight, by their addresses or ids."""
    if sight:
        parts = [{"type": "input_image", "image_url" if "://" in name else "file_id": name} for name in sight]
        yield {"role": "user", "content": parts}


def _name(source: Source, links: MediaLinks) -> str | None:
    match source:
        case StoredSource():
            return links.link(source.name)
        case LinkSource():
            return source.url
        case FileIdSource():
            return source.file_id
        case _:
            return None


def _echoed(body: ResponsesRequest) -> EchoedFields:
    return EchoedFields(
        instructions=body.instructions,
        metadata=body.metadata,
        temperature=body.temperature,
        top_p=body.top_p,
        tools=tuple(map(_without_nulls, body.tools or ())),
        tool_choice="auto" if body.tool_choice is None else body.tool_choice,
        parallel_tool_calls=body.parallel_tool_calls is not False,
        max_output_tokens=body.max_output_tokens,
        previous_response_id=body.previous_response_id,
        background=bool(body.background),
        user=UNSET if body.user is None else body.user,
        safety_identifier=UNSET if body.safety_identifier is None else body.safety_identifier,
    )


def _without_nulls(tool: object) -> object:
    """Return a tool as the document wants it said again: null means absent in a request, and may not be said."""
    return {name: value for name, value in tool.items() if value is not None} if isinstance(tool, dict) else tool
