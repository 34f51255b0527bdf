"""The watch over the journeys can see: each kind of broken answer is found, and every client is watched."""

import ast
import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import httpx
import httpx2
import msgspec
import pytest

from tests.journeys.contract import DEVIATIONS, Answer, Deviation, faults
from tests.journeys.described import undescribed
from tests.journeys.schema_watch import Watch
from tests.openapi import Json

CHUNK: Mapping[str, Json] = {
    "id": "chatcmpl-1",
    "created": 1,
    "model": "m",
    "object": "chat.completion.chunk",
    "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}],
}
PICTURES: Mapping[str, Json] = {"created": 1, "data": [{"b64_json": "AAAA"}], "background": "opaque"}
ERROR: Mapping[str, Json] = {"error": {"message": "no", "type": "t", "param": None, "code": None}}
PICTURE_EVENT: Mapping[str, Json] = {
    "type": "image_generation.completed",
    "b64_json": "AAAA",
    "created_at": 1,
    "size": "1024x1024",
    "quality": "high",
    "background": "opaque",
    "output_format": "png",
    "usage": {
        "total_tokens": 0,
        "input_tokens": 0,
        "output_tokens": 0,
        "input_tokens_details": {"text_tokens": 0, "image_tokens": 0},
    },
}

VIDEO: Mapping[str, Json] = {
    "id": "video_1",
    "object": "video",
    "created_at": 1,
    "completed_at": None,
    "expires_at": None,
    "model": "sora-2",
    "status": "queued",
    "progress": 0,
    "prompt": "waves",
    "seconds": "8",
    "size": "1280x720",
    "remixed_from_video_id": None,
    "error": None,
}

PIECE = Answer(
    method="POST", path="/v1/images/generations", status=200, content_type="application/json", body=b"{}", whole=True
)
STREAM = msgspec.structs.replace(PIECE, path="/v1/chat/completions", content_type="text/event-stream")


def piece(body: Json, path: str = PIECE.path, status: int = 200) -> Answer:
    """Return a whole answer."""
    return msgspec.structs.replace(PIECE, body=json.dumps(body).encode(), path=path, status=status)


def stream(*lines: str) -> Answer:
    """Return a streamed chat."""
    return msgspec.structs.replace(STREAM, body="".join(lines).encode())


def followed(*numbers: int, **changes: Json) -> Answer:
    """Return the stream of a video's changes."""
    lines = [
        f"id: {number}\nevent: video.queued\n"
        + data({"type": "video.queued", "sequence_number": number, "video": {**VIDEO, **changes}})
        for number in numbers
    ]
    return msgspec.structs.replace(stream(*lines), method="GET", path="/v1/videos/video_1/events")


def after(answer: Answer, text: str) -> Answer:
    """Return a stream that goes on."""
    return msgspec.structs.replace(answer, body=answer.body + text.encode())


def data(event: Mapping[str, Json]) -> str:
    """Return an event."""
    return f"data: {json.dumps(event)}\n\n"


@pytest.mark.parametrize(
    "answer",
    [
        piece(PICTURES),
        piece(PICTURES, path="/v1/v1/images/generations"),
        piece(PICTURES, path="/images/generations"),
        piece(ERROR, status=429),
        piece(ERROR, path="/nothing", status=404),
        stream(": still here\n", data(CHUNK), "data: [DONE]\n\n"),
        stream(data(CHUNK), data(ERROR), "data: [DONE]\n\n"),
        piece(VIDEO, path="/v1/videos"),
        followed(3, 4, 5),
        after(followed(1), ": still working\n"),
        after(followed(1), "event: error\n" + data({**ERROR, "type": "error"})),
    ],
)
def test_a_right_answer_is_passed(answer: Answer) -> None:
    """Whole, streamed, failed."""
    assert faults(answer) == []


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (piece({**PICTURES, "created": 1.5}), r"is not ImagesResponse: \$\.created"),
        (piece({**PICTURES, "background": "auto"}), r"\$\.background"),
        (piece({**PICTURES, "data": [{"url": None}]}), r"\$\.data\[0\]\.url: None is not"),
        (piece(PICTURES, path="/v1/chat/completions"), "is not CreateChatCompletionResponse"),
        (piece({**PICTURES, "size": 7}), r"\$\.size: 7 is not of type 'string'"),
        (
            msgspec.structs.replace(stream(data(PICTURE_EVENT)), path="/v1/images/variations"),
            "has no schema for events",
        ),
        (piece(PICTURES, path="/v1/speeches"), "has no schema in the table of routes"),
        (piece(PICTURES, status=500), "is not ErrorResponse"),
        (piece({"error": {"message": "no", "type": "t", "param": None}}, status=400), "'code' is a required property"),
        (piece({"detail": "no"}, status=404), "'error' is a required property"),
        (msgspec.structs.replace(PIECE, body=b"<html>"), "is not JSON"),
        (msgspec.structs.replace(PIECE, content_type="text/html"), "is not application/json"),
        (msgspec.structs.replace(PIECE, status=204), "has a body"),
        (stream(data({**CHUNK, "choices": [{"index": 0, "delta": {}}]})), "'finish_reason' is a required property"),
        (stream(data(PICTURE_EVENT)), "is not CreateChatCompletionStreamResponse"),
        (stream(data({"error": {"message": "no"}})), "is not ErrorResponse"),
        (stream("id: 1\n", data(CHUNK)), "not one line of data"),
        (stream(": still here\n\n", data(CHUNK)), "a blank line that ends no event"),
        (stream(": still here\n\n", data(CHUNK)), "Go's client fails: Expecting value"),
        (stream("retry: 1\n\n"), "not one line of data"),
        (stream("event: ping\n\n"), "not one line of data"),
        (stream("event: a\n", data(CHUNK)), "an event is called 'a'"),
        (stream("data: {\ndata: }\n\n"), "not one line of data"),
        (stream(data(CHUNK).rstrip()), "ends in the middle of an event"),
        (stream("data: {\n\n"), "is not JSON"),
    ],
)
def test_a_wrong_answer_is_found(answer: Answer, fault: str) -> None:
    """Each in a sentence that names the request."""
    said = faults(answer)

    assert all(each.startswith(f"POST {answer.path} -> {answer.status} ") for each in said)
    assert any(re.search(fault, each) for each in said)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (followed(1, 3), "has gaps"),
        (followed(2, 1), "has gaps"),
        (followed(1, progress=1.5), r"is not VideoResource: \$\.progress"),
        (followed(1, status="waiting"), r"\$\.status"),
        (followed(1, size=640), r"\$\.size"),
        (after(followed(1), ": still working\n\n"), "a blank line that ends no event"),
        (after(followed(1), "id: 2\n"), "ends in the middle"),
        (after(followed(1), "retry: 2\n\n"), "not one line of data"),
        (
            msgspec.structs.replace(followed(1), body=followed(1).body.replace(b"id: 1", b"id: 2")),
            "an event has the number b'2'",
        ),
    ],
)
def test_a_wrong_stream_of_changes_is_found(answer: Answer, fault: str) -> None:
    """Its own rules: numbers without gaps, and no blank line but at the end of an event."""
    assert any(re.search(fault, each) for each in faults(answer)), faults(answer)


def test_what_was_cut_off_by_the_client_is_judged_as_far_as_it_came() -> None:
    """Half an event is no fault of ours; a wrong one before it is."""
    cut = msgspec.structs.replace(stream(data(CHUNK), "data: {"), whole=False)
    wrong = msgspec.structs.replace(stream(data(PICTURE_EVENT), "data: {"), whole=False)

    assert faults(cut) == []
    assert faults(msgspec.structs.replace(PIECE, body=b'{"crea', whole=False)) == []
    assert faults(wrong) != []


@pytest.mark.parametrize(
    ("deviation", "answer"),
    [
        (DEVIATIONS[0], piece({**PICTURES, "size": "1248x832"})),
        (
            DEVIATIONS[0],
            msgspec.structs.replace(stream(data({**PICTURE_EVENT, "size": "1248x832"})), path="/v1/images/generations"),
        ),
    ],
)
def test_a_known_deviation_is_one_and_is_excused(deviation: Deviation, answer: Answer) -> None:
    """And nothing else along with it."""
    assert len(faults(answer, deviations=())) == 1
    assert faults(answer, deviations=(deviation,)) == []


def test_a_deviation_does_not_excuse_what_is_beside_it() -> None:
    """In the same event."""
    event = {**PICTURE_EVENT, "size": "1248x832", "background": "blue"}

    assert len(faults(msgspec.structs.replace(stream(data(event)), path="/v1/images/generations"))) == 1


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_the_clients_of_both_generations_are_watched(library: ModuleType) -> None:
    """What a program reads is what the watch judges; unread is unjudged."""
    watch = Watch()
    body, headers = library.ByteStream(b"{}"), {"content-type": "application/json"}
    transport = library.MockTransport(lambda _: library.Response(200, headers=headers, stream=body))
    with library.Client(transport=transport, event_hooks={"response": [watch.on_response]}) as client:
        assert client.get("http://adapter/v1/models").json() == {}

    assert "is not ListModelsResponse" in watch.faults()[0]


#: Journeys with clients of their own, and why those are not watched.
UNWATCHED = {
    "test_fuzz.py": "its answers are judged one by one, beside the request that each belongs to",
    "test_texts.py": "the answers of text models are Google's, byte for byte",
    "test_google_cloud.py": "its chats with text models, as those of test_texts.py; everything else takes `connect`",
    "test_what_is_loaded.py": "its server is asked once, before any other one; what it has loaded is looked at",
    "test_head.py": "an answer to HEAD has no body to be judged; the GET beside each is watched",
    "test_drain.py": "50 streams at once need an asynchronous client; that they end is what is looked at",
    "test_replicas.py": "a request in a thread, to a server that dies before it answers",
}
#: What makes a client or is one.
CLIENTS = r"(httpx2?|openai)\.((Default)?(Async)?(Httpx)?Client|(Async)?OpenAI|request|stream|get|post|put|delete|head)"


def test_no_journey_uses_a_client_that_is_not_watched() -> None:
    """They take `http`, `client` or `connect`, or make one that tells the watch."""
    calls = [
        f"{path.name}:{node.lineno} {ast.unparse(node.func)}"
        for path in Path(__file__).parent.glob("test_*.py")
        if path != Path(__file__) and path.name not in UNWATCHED
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and re.fullmatch(CLIENTS, ast.unparse(node.func))
        if re.search(r"watch\.on_(async_)?response", ast.unparse(node)) is None
    ]

    assert calls == []


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (piece(PICTURES, path="/openai/images/generations"), "has another schema: .* 'size' is a required property"),
        (piece(VIDEO, path="/v1/videos"), "has another schema: .* 'url' is a required property"),
        (piece(VIDEO, path="/v1/nothing"), "has no such route"),
        (piece(VIDEO, path="/v1/videos", status=201), "does not know this status"),
        (msgspec.structs.replace(piece(VIDEO, path="/v1/videos"), content_type="text/html"), "not know this content"),
        (stream(data({"choices": []}), "data: [DONE]\n\n"), "has another schema"),
        (msgspec.structs.replace(PIECE, body=b"<html>"), "is not JSON"),
    ],
)
def test_what_our_own_document_does_not_have_is_found(answer: Answer, fault: str) -> None:
    """A route, a status, a type of content, a field of a body or of an event."""
    assert any(re.search(fault, each) for each in undescribed(answer)), undescribed(answer)


@pytest.mark.parametrize(
    "answer",
    [
        piece(ERROR, status=429),
        piece(
            {"error": {"message": "no", "type": "t", "param": None, "code": "unknown_url"}}, path="/nothing", status=404
        ),
        piece({"status": "ok"}, path="/health", status=200),
        stream(data(CHUNK), data(ERROR), "data: [DONE]\n\n"),
        msgspec.structs.replace(PIECE, body=b'{"crea', whole=False),
    ],
)
def test_what_our_own_document_has_is_passed(answer: Answer) -> None:
    """Errors, streams, and what was cut off by the client."""
    told = msgspec.structs.replace(answer, method="GET") if answer.path == "/health" else answer

    assert undescribed(told) == []
