"""What the Node programs report, as far as the tests look at it."""

import re
from typing import Final

import msgspec

#: What a chat shows of a finished video; the group is the link.
VIDEO_CONTENT: Final = re.compile(
    r"\[!\[Video preview\]\(http[^\s)]+\.jpg\)\]\((http[^\s)]+\.mp4)\)\n\n\[Download video\]\(\1\?download=1\)"
)


class Refusal(msgspec.Struct, frozen=True):
    """What the official client knows of an error."""

    kind: str = msgspec.field(name="class")
    status: int
    code: str | None
    param: str | None


class Refused(msgspec.Struct, frozen=True):
    """Instead of an answer."""

    error: Refusal


class Item(msgspec.Struct, frozen=True):
    """One picture of the official client."""

    b64_json: str = ""
    url: str = ""


class Pictures(msgspec.Struct, frozen=True):
    """An `ImagesResponse`."""

    data: list[Item]
    size: str
    output_format: str


class PictureEvent(msgspec.Struct, frozen=True):
    """An event of a streamed picture."""

    type: str
    b64_json: str


class ChatImageUrl(msgspec.Struct, frozen=True):
    """Where a chat's picture is."""

    url: str


class ChatImage(msgspec.Struct, frozen=True):
    """A picture in a chat, as gateways hand it over."""

    image_url: ChatImageUrl


class Delta(msgspec.Struct, frozen=True):
    """A piece of a streamed chat."""

    finish_reason: str | None
    role: str = ""
    content: str = ""
    reasoning_content: str = ""
    images: list[ChatImage] = []


class Message(msgspec.Struct, frozen=True):
    """A chat's whole message."""

    role: str
    content: str
    images: list[ChatImage] = []


class Choice(msgspec.Struct, frozen=True):
    """The only one."""

    message: Message
    finish_reason: str


class Completion(msgspec.Struct, frozen=True):
    """What the streaming helper puts together."""

    choices: list[Choice]


class AiImage(msgspec.Struct, frozen=True):
    """One picture of the AI SDK, which looks at the bytes for the type."""

    type: str
    base64: str


class AiImages(msgspec.Struct, frozen=True):
    """What `generateImage` returns."""

    images: list[AiImage]
    warnings: list[object]


class AiError(msgspec.Struct, frozen=True):
    """What `generateImage` throws."""

    name: str
    status: int
    message: str


class AiRefused(msgspec.Struct, frozen=True):
    """Instead of pictures."""

    error: AiError


class AiPart(msgspec.Struct, frozen=True):
    """A piece of `streamText`."""

    type: str
    text: str = ""
    finish: str = ""


class AiText(msgspec.Struct, frozen=True):
    """What `generateText` returns."""

    text: str
    finish: str


class File(msgspec.Struct, frozen=True):
    """What is told of an uploaded file."""

    id: str
    filename: str
    bytes: int
    status: str


class FileJourney(msgspec.Struct, frozen=True):
    """What a file looked like from its upload to its end."""

    file: File
    listed: list[str]
    content: bytes
    deleted: bool


class OutputItem(msgspec.Struct, frozen=True):
    """An entry of a response."""

    type: str
    result: str | None = None


class Response(msgspec.Struct, frozen=True):
    """A response of the official client; `text` is what it makes of the messages."""

    id: str
    status: str
    output: list[OutputItem]
    text: str = ""


class StreamedResponse(msgspec.Struct, frozen=True):
    """What its streaming helper saw and put together."""

    events: list[str]
    response: Response


class AiResponse(msgspec.Struct, frozen=True):
    """What the AI SDK makes of a response."""

    results: list[str]
    text: str
    reasoning: str


class NodeVideo(msgspec.Struct, frozen=True):
    """A `Video`."""

    id: str
    status: str
    size: str
    seconds: str
    remixed_from_video_id: str | None


class NodeDeleted(msgspec.Struct, frozen=True):
    """What is left of one."""

    id: str
    deleted: bool


class VideoLife(msgspec.Struct, frozen=True):
    """A video from its making to its end."""

    made: NodeVideo
    video: NodeVideo
    #: Bytes by the type of the content.
    sizes: dict[str, int]
    remix: NodeVideo
    #: What came after the remix, up to the video itself.
    listed: list[str]
    deleted: NodeDeleted


class VideoWorks(msgspec.Struct, frozen=True):
    """A video, and what was made from it."""

    made: NodeVideo
    #: Bytes of its file.
    size: int
    edited: NodeVideo
    extended: NodeVideo


class VideoFile(msgspec.Struct, frozen=True):
    """A finished video with its file."""

    video: NodeVideo
    file: bytes


class VideoGoesOn(msgspec.Struct, frozen=True):
    """A video, the clip that goes on after it, and the same in a finer resolution."""

    made: VideoFile
    extended: VideoFile
    finer: VideoFile


class AgentRun(msgspec.Struct, frozen=True):
    """What a run of the Agents SDK came to."""

    text: str
    #: The kinds of its new items.
    items: list[str]
    #: What its hosted tools returned, in base64.
    pictures: list[str]
    #: How many responses it asked for.
    answers: int
    #: Of a stream: what it said of its items.
    names: list[str]


class Citation(msgspec.Struct, frozen=True):
    """A link in a message."""

    start_index: int
    end_index: int
    title: str
    url: str


class CitingText(msgspec.Struct, frozen=True):
    """A text with links."""

    text: str
    annotations: list[Citation]


class CitingItem(msgspec.Struct, frozen=True):
    """A picture, or the message below it."""

    content: list[CitingText] = []


class Citing(msgspec.Struct, frozen=True):
    """A response whose message has links."""

    output: list[CitingItem]


class CitedResponse(msgspec.Struct, frozen=True):
    """Such a response as the streaming helper put it together, and the events that it came in."""

    events: list[str]
    response: Citing
