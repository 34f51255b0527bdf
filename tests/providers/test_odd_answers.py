"""Odd answers of Google on every call of both providers: each ends in an error of ours, or in what it says."""

import gzip
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import httpx
import msgspec
import pybase64
import pytest

from adapter.credentials import FixedSecret
from adapter.domain.answer_memory import SMALL_ANSWER_BYTES
from adapter.domain.job import Operation
from adapter.domain.media import Frame, Image, RemoteFile, sniff
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import Empty, Finished, Report, Working
from adapter.domain.texts import TextLimits, Turn
from adapter.domain.whole_pictures import is_whole
from adapter.errors import AdapterError, NoMedia, UpstreamBroken, UpstreamBusy
from adapter.providers.flow.accounts import Account, Accounts
from adapter.providers.flow.provider import FlowProvider
from adapter.providers.gemini.provider import GeminiEndpoint, GeminiProvider
from adapter.providers.keys import Key, Keys
from tests.fakes import CLIP, FakeClock, made_image, png, video_job
from tests.upstream import Upstream

PICTURE = pybase64.b64encode(png(30, 20)).decode()
ORDER = ImageOrder(model="m", provider="p", upstream="m", prompt="a fox", n=1, frame=Frame(), seed=100)
LINK = "https://storage.example/video"

#: Bodies that no call of Google's has for an answer.
BODIES: Mapping[str, bytes] = {
    "nothing": b"",
    "a space": b" ",
    "a NUL": b"\0",
    "zeros": bytes(5000),
    "a page": b"<!doctype html><html><body>502 Bad Gateway</body></html>",
    "half a page": b"<html><head>",
    "a word": b"OK",
    "null": b"null",
    "true": b"true",
    "a number": b"7",
    "a fraction": b"0.5",
    "a huge number": b"1e400",
    "many digits": b"9" * 5000,
    "NaN": b"NaN",
    "minus infinity": b"-Infinity",
    "a string": b'"operations"',
    "an empty string": b'""',
    "a lone surrogate": b'"\\ud800"',
    "an empty object": b"{}",
    "other keys": b'{"data": [], "object": "list"}',
    "an empty key": b'{"": {"": {"": null}}}',
    "a list of nothing": b"[null]",
    "a list of lists": b"[[], [[]], [[[]]]]",
    "a list of numbers": b"[1, 2, 3]",
    "a list of strings": b'["a", "b"]',
    "two documents": b"{} {}",
    "lines": b'{"error": {}}\n{"error": {}}\n',
    "an event stream": b"data: {}\n\ndata: [DONE]\n\n",
    "cut in a string": b'{"candidates": [{"content": {"parts": [{"text": "a',
    "cut after a colon": b'{"operations":',
    "cut after a comma": b'{"media": [{},',
    "one brace": b"{",
    "one bracket": b"[",
    "a trailing comma": b'{"a": 1,}',
    "single quotes": b"{'operations': []}",
    "a comment": b"{} // nothing",
    "a guard before it": b")]}'\n{}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "Latin-1": '{"operations": "é"}'.encode("latin-1"),
    "half a character": b'{"a": "\xe2\x82"}',
    "a raw line break": b'{"a": "\n"}',
    "deep lists": b"[" * 100_000,
    "closed deep lists": b"[" * 5000 + b"]" * 5000,
    "deep objects": b'{"error":' * 5000 + b"{}" + b"}" * 5000,
    "deep members": b'{"x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "many members": b"{" + b",".join(b'"%d":0' % at for at in range(5000)) + b"}",
    "many items": b"[" + b"{}," * 20_000 + b"{}]",
    "many operations": b'{"operations": [' + b"{}," * 20_000 + b"{}]}",
    "many media": b'{"media": [' + b"7," * 20_000 + b"7]}",
    "many candidates": b'{"candidates": [' + b"{}," * 20_000 + b"{}]}",
    "an error of another kind": b'{"error": "not found"}',
    "an error that is a number": b'{"error": 500}',
    "an error that is a list": b'{"error": [1]}',
    "an error that is null": b'{"error": null}',
    "no errors": b"[]",
    "a picture": png(),
    "a film": CLIP,
    "gzip": gzip.compress(b'{"error": {"code": 429, "message": "busy"}}'),
    "half of gzip": gzip.compress(bytes(5000))[:-8],
    "protobuf": b"\x0a\x04\x08\xad\x03\x12\x05hello",
    "an answer within an answer": b"HTTP/1.1 200 OK\r\n\r\n{}",
}

#: In the place of a member that Google has.
VALUES = (
    *("null", "[]", "{}", '""', '"x"', "7", "-1", "0.5", "true", "1e400", "-1e-400", "NaN", "9" * 30, f'"{"9" * 30}"'),
    *(
        '"\\ud800"',
        '"\\u0000\\u001b[31m\\u202e"',
        "[null]",
        "[7]",
        '["x"]',
        '{"": null}',
        "[[[[]]]]",
        f'"{"x" * 20_000}"',
    ),
)

HEADS: Sequence[Mapping[str, str]] = (
    {"content-type": "application/json"},
    {"content-type": "text/html; charset=utf-16"},
    {"content-type": ""},
)


def paths(value: object) -> Iterator[tuple[str | int, ...]]:
    """Yield where something stands in JSON."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield (key,)
        yield from ((key, *rest) for rest in paths(member))


def replaced(text: str, path: tuple[str | int, ...], value: str) -> bytes:
    """Return JSON with a value in another's place."""
    whole = json.loads(text)
    holder = whole
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = "\N{REPLACEMENT CHARACTER}"
    return json.dumps(whole, ensure_ascii=False).replace('"\N{REPLACEMENT CHARACTER}"', value).encode()


def left_out(text: str, path: tuple[str | int, ...]) -> bytes:
    """Return JSON without a member."""
    whole = json.loads(text)
    holder = whole
    for key in path[:-1]:
        holder = holder[key]
    del holder[path[-1]]
    return json.dumps(whole).encode()


def variants(text: str) -> Iterator[tuple[str, bytes]]:
    """Yield an answer of Google's with one thing that is odd."""
    for path in paths(json.loads(text)):
        name = ".".join(map(str, path))
        yield f"no {name}", left_out(text, path)
        for value in VALUES:
            yield f"{name} = {value[:40]}", replaced(text, path, value)
            if isinstance(path[-1], str):  # the same key twice: parsers take the last one
                twice = f'"{path[-1]}": 7, "{path[-1]}": '
                yield (
                    f"{name} twice = {value[:40]}",
                    replaced(text, path, value).replace(f'"{path[-1]}": '.encode(), twice.encode(), 1),
                )
    yield from ((f"cut at {end}", text.encode()[:end]) for end in range(1, len(text), max(len(text) // 20, 1)))


Outcome = object


class Call(NamedTuple):
    """A call of a provider, an answer of Google's, and what may become of one that is odd."""

    answer: str
    ask: Callable[[Upstream], Awaitable[Outcome]]
    is_fine: Callable[[Outcome], bool]
    #: Whether a fault says that it may have been paid.
    is_paid: bool = True


def flow(upstream: Upstream) -> FlowProvider:
    """Return Flow with an account."""
    account = Account(name="ada", token=FixedSecret("ya29.x"), project_id="p", tier="PAYGATE_TIER_ONE")
    return FlowProvider(upstream.http, upstream.url, Accounts([account], FakeClock()), FakeClock(1762958374.0))


def gemini(upstream: Upstream) -> GeminiProvider:
    """Return Gemini with a key."""
    endpoint = GeminiEndpoint(base_url=upstream.url, api_version="v1beta", auth="header", concurrency=3)
    return GeminiProvider(upstream.http, endpoint, Keys([Key("key", FixedSecret("AIza-one"))], FakeClock()))


async def gemini_image(upstream: Upstream) -> Outcome:
    """Ask for a picture."""
    return await gemini(upstream).make_images(ORDER, ())


async def gemini_text(upstream: Upstream) -> Outcome:
    """Ask for a text."""
    return await gemini(upstream).make_text("m", [Turn("user", "Hello")], TextLimits(tokens=10, seconds=5.0))


async def flow_images(upstream: Upstream) -> Outcome:
    """Ask for a picture."""
    return await flow(upstream).make_images(ORDER, ())


async def flow_upload(upstream: Upstream) -> Outcome:
    """Upload a picture."""
    return await flow(upstream).upload([made_image()], account="ada")


async def flow_submit(upstream: Upstream) -> Outcome:
    """Ask for a video."""
    return await flow(upstream).submit(msgspec.structs.replace(video_job(), account="ada"), ())


async def flow_poll(upstream: Upstream) -> Outcome:
    """Ask how a video stands."""
    return await flow(upstream).poll([Operation("op", "mark")], account="ada")


async def flow_poll_media(upstream: Upstream) -> Outcome:
    """Ask how a video stands, in the newer dialect."""
    return await flow(upstream).poll([Operation("op", "mark", dialect="media")], account="ada")


async def flow_credits(upstream: Upstream) -> Outcome:
    """Ask for the credits."""
    return await flow(upstream).credits("ada")


async def flow_media(upstream: Upstream) -> Outcome:
    """Fetch a video."""
    async with flow(upstream).download(RemoteFile(name="op"), account="ada") as download:
        return await download.read(10_000_000)


def are_pictures(outcome: Outcome) -> bool:
    """Return whether it is what was ordered."""
    return isinstance(outcome, list) and [isinstance(each, Image) and is_whole(each) for each in outcome] == [True]


def is_operation(outcome: Outcome) -> bool:
    """Return whether a name came back that can be stored and asked about."""
    return isinstance(outcome, Operation) and 0 < len(outcome.name) <= 1024 and outcome.name.isprintable()


def are_names(outcome: Outcome) -> bool:
    """Return whether a name came back that can be sent again."""
    return isinstance(outcome, list) and [0 < len(name) <= 1024 and name.isprintable() for name in outcome] == [True]


def is_told(report: Report) -> bool:
    """Return whether a report follows from an answer that says nothing of a failure."""
    match report:
        case Working() | Empty():
            return True
        case Finished(video):
            return 0 < len(video.url or video.name) <= 8192
        case _:
            return False


def are_reports(outcome: Outcome) -> bool:
    """Return whether nothing is told that the answer does not say."""
    return isinstance(outcome, dict) and all(isinstance(key, str) and is_told(outcome[key]) for key in outcome)


def are_credits(outcome: Outcome) -> bool:
    """Return whether it is a number that can be stored, or unknown."""
    return outcome is None or (isinstance(outcome, int) and abs(outcome) < 2**53)


USAGE = {
    "promptTokenCount": 9,
    "totalTokenCount": 1299,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 9}],
    "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
}
CALLS: Mapping[str, Call] = {
    "gemini picture": Call(
        json.dumps(
            {
                "candidates": [
                    {
                        "content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": PICTURE}}]},
                        "finishReason": "STOP",
                    }
                ],
                "usageMetadata": USAGE,
            }
        ),
        gemini_image,
        are_pictures,
    ),
    "gemini text": Call(
        json.dumps(
            {
                "candidates": [{"content": {"parts": [{"text": "Hello."}]}, "finishReason": "STOP"}],
                "usageMetadata": USAGE,
            }
        ),
        gemini_text,
        lambda outcome: isinstance(outcome, str) and outcome != "",
    ),
    "flow pictures": Call(
        json.dumps({"media": [{"name": "n", "image": {"generatedImage": {"encodedImage": PICTURE, "seed": 7}}}]}),
        flow_images,
        are_pictures,
    ),
    "flow upload": Call(
        json.dumps({"mediaGenerationId": {"mediaGenerationId": "m"}, "width": 1}), flow_upload, are_names, is_paid=False
    ),
    "flow submission": Call(
        json.dumps({"operations": [{"operation": {"name": "op"}, "sceneId": "mark"}], "remainingCredits": 660}),
        flow_submit,
        is_operation,
    ),
    "flow submission, media": Call(
        json.dumps({"media": [{"name": "op", "projectId": "p", "video": {}}], "remainingCredits": 660}),
        flow_submit,
        is_operation,
    ),
    "flow status": Call(
        json.dumps(
            {
                "operations": [
                    {
                        "operation": {"name": "op", "metadata": {"video": {"fifeUrl": LINK, "servingBaseUri": LINK}}},
                        "status": "MEDIA_GENERATION_STATUS_SUCCESSFUL",
                    }
                ]
            }
        ),
        flow_poll,
        are_reports,
    ),
    "flow status, media": Call(
        json.dumps(
            {
                "media": [
                    {
                        "name": "op",
                        "mediaMetadata": {
                            "mediaStatus": {"mediaGenerationStatus": "MEDIA_GENERATION_STATUS_SUCCESSFUL"}
                        },
                        "video": {"operation": {"name": "op"}, "generatedVideo": {"fifeUrl": LINK}},
                    }
                ]
            }
        ),
        flow_poll_media,
        are_reports,
    ),
    "flow credits": Call(json.dumps({"credits": 680, "userPaygateTier": "t"}), flow_credits, are_credits),
    "flow media": Call(
        json.dumps({"name": "op", "video": {"encodedVideo": pybase64.b64encode(CLIP).decode()}}),
        flow_media,
        lambda outcome: outcome == CLIP or (isinstance(outcome, bytes) and sniff(outcome) is None),
    ),
}


#: Members that nothing needs, by a call and where they stand. An item behind the last one is one more.
NEIGHBOURS: Mapping[str, Sequence[tuple[str | int, ...]]] = {
    "gemini picture": (
        ("promptFeedback",),
        ("candidates", 0, "finishReason"),
        ("candidates", 0, "finishMessage"),
        ("candidates", 1),
        ("candidates", 0, "content", "parts", 0, "text"),
        ("candidates", 0, "content", "parts", 1),
        ("candidates", 0, "content", "parts", 1, "inlineData"),
        ("candidates", 0, "content", "parts", 1, "text"),
        ("usageMetadata",),
    ),
    "gemini text": (
        ("promptFeedback",),
        ("candidates", 0, "finishReason"),
        ("candidates", 0, "finishMessage"),
        ("candidates", 1),
        ("candidates", 0, "content", "parts", 0, "inlineData"),
        ("candidates", 0, "content", "parts", 1),
        ("usageMetadata",),
    ),
    "flow pictures": (
        ("media", 0, "name"),
        ("media", 0, "image", "generatedImage", "fifeUrl"),
        ("media", 0, "image", "generatedImage", "seed"),
    ),
    "flow submission": (("media",), ("operations", 0, "projectId"), ("operations", 0, "status")),
    "flow submission, media": (("media", 0, "projectId"), ("media", 0, "video")),
    "flow status": (
        ("media",),
        ("operations", 0, "operation", "error"),
        ("operations", 0, "operation", "metadata", "video", "servingBaseUri"),
        ("operations", 0, "metadata"),
    ),
    "flow status, media": (
        ("media", 0, "mediaMetadata", "mediaStatus", "error"),
        ("media", 0, "mediaMetadata", "mediaStatus", "failureReasons"),
        ("media", 0, "video", "operation"),
        ("media", 0, "video", "generatedVideo", "servingBaseUri"),
    ),
}
#: What no member that Google has is like. `null` and empty ones say that nothing is there.
NONSENSE = ("7", "-0.5", "true", '"x"', "[7]", '["x", {}]', '{"a": 7}', '{"data": 7}', "9" * 30)


def with_neighbour(text: str, path: tuple[str | int, ...], value: str) -> bytes:
    """Return an answer with one more member or item, or with another value of it."""
    whole = json.loads(text)
    holder = whole
    for key in path[:-1]:
        if isinstance(key, int) and key == len(holder):
            holder.append({})
        holder = holder[key]
    if isinstance(holder, list):
        holder.append(None)
    else:
        holder[path[-1]] = None
    return replaced(json.dumps(whole), path, value)


async def outcome_of(call: Call, upstream: Upstream, answer: httpx.Response) -> Outcome:
    """Return what a call gives or raises. Anything that is no error of ours fails the test by itself."""
    upstream.answer = lambda _: answer
    try:
        return await call.ask(upstream)
    except AdapterError as fault:
        return fault


def is_honest(call: Call, outcome: Outcome) -> bool:
    """Return whether a fault says that the answer could not be used, and whether it may be paid for."""
    return isinstance(outcome, UpstreamBroken | NoMedia) and outcome.spent is call.is_paid and len(str(outcome)) < 2100


def test_there_are_enough_bodies() -> None:
    """At least 60 for each call."""
    assert len(BODIES) >= 60
    assert min(len([*variants(call.answer)]) for call in CALLS.values()) >= 60


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_an_answer_as_it_should_be_is_fine(upstream: Upstream, call: Call) -> None:
    """Or the other tests would prove nothing."""
    assert call.is_fine(await outcome_of(call, upstream, httpx.Response(200, content=call.answer)))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_success_that_is_none_is_never_taken_for_one(upstream: Upstream, call: Call) -> None:
    """And what it cost is not known."""
    odd = {}
    for at, (name, body) in enumerate(BODIES.items()):
        outcome = await outcome_of(call, upstream, httpx.Response(200, content=body, headers=HEADS[at % len(HEADS)]))
        if not is_honest(call, outcome) and outcome not in (None, {}):
            odd[name] = outcome
    assert odd == {}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_success_with_an_odd_member_is_read_or_refused(upstream: Upstream, call: Call) -> None:
    """Never in part: what comes back can be stored and sent on."""
    odd = {}
    for name, body in variants(call.answer):
        outcome = await outcome_of(call, upstream, httpx.Response(200, content=body))
        if not is_honest(call, outcome) and not call.is_fine(outcome):
            odd[name] = outcome
    assert odd == {}


@pytest.mark.parametrize(
    ("name", "path"), [(name, path) for name, those in NEIGHBOURS.items() for path in those], ids=str
)
async def test_what_is_paid_for_is_not_lost_for_an_odd_neighbour(
    upstream: Upstream, name: str, path: tuple[str | int, ...]
) -> None:
    """A picture, a text, the name of an operation and the end of a video are read without what nothing needs."""
    call, lost = CALLS[name], {}
    wanted = await outcome_of(call, upstream, httpx.Response(200, content=call.answer))
    for value in NONSENSE:
        body = with_neighbour(call.answer, path, value)
        outcome = await outcome_of(call, upstream, httpx.Response(200, content=body))
        if bare(outcome) != bare(wanted):
            lost[value] = outcome
    assert lost == {}


@pytest.mark.parametrize("name", [name for name in CALLS if name != "flow media"])  # a download has its own limits
async def test_an_answer_without_a_picture_has_a_bound(upstream: Upstream, name: str) -> None:
    """It is not in the memory budget, so it is not read if it is large. A picture may be larger."""
    call = CALLS[name]
    outcome = await outcome_of(call, upstream, httpx.Response(200, content=call.answer + " " * SMALL_ANSWER_BYTES))

    if name in {"gemini picture", "flow pictures"}:
        assert call.is_fine(outcome)
    elif name == "flow credits":
        assert outcome is None
    else:
        assert "longer than" in str(outcome)


def bare(outcome: Outcome) -> Outcome:
    """Return an outcome without what is told beside it."""
    match outcome:
        case [Image() as image]:
            return image.decode()
        case Operation():
            return outcome.name
        case {"op": Finished(video)}:
            return video.url, video.name
        case _:
            return outcome


@pytest.mark.parametrize("path", [("thought",), ("text",), ("thoughtSignature",)], ids=str)
async def test_a_picture_with_an_odd_mark_is_no_draft(upstream: Upstream, path: tuple[str]) -> None:
    """A draft says `true`."""
    call = CALLS["gemini picture"]
    body = with_neighbour(call.answer, ("candidates", 0, "content", "parts", 0, *path), '"yes"')
    assert call.is_fine(await outcome_of(call, upstream, httpx.Response(200, content=body)))


async def test_an_odd_answer_without_a_picture_is_not_paid_for_again(upstream: Upstream) -> None:
    """The picture may be what cannot be read."""
    for part in ('{"inlineData": 7}', '{"inlineData": {}}', "7", '{"text": 7}'):
        body = f'{{"candidates": [{{"content": {{"parts": [{part}]}}, "finishReason": "STOP"}}]}}'
        asked: list[httpx.Request] = []

        def google(request: httpx.Request, body: str = body, asked: list[httpx.Request] = asked) -> httpx.Response:
            asked.append(request)
            return httpx.Response(200, content=body)

        upstream.answer = google
        with pytest.raises(UpstreamBroken) as caught:
            await gemini_image(upstream)
        assert caught.value.spent
        assert len(asked) == 1


@pytest.mark.parametrize("status", [206, 400, 429, 503])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_an_error_that_cannot_be_read_leaves_open_what_was_executed(
    upstream: Upstream, call: Call, status: int
) -> None:
    """Whatever its status says: a proxy may have written it."""
    odd = {}
    for at, (name, body) in enumerate(BODIES.items()):
        answer = httpx.Response(status, content=body, headers=HEADS[at % len(HEADS)])
        outcome = await outcome_of(call, upstream, answer)
        if not is_honest(call, outcome) and outcome is not None:
            odd[name] = outcome
    assert odd == {}


#: What may stand in the place of `details` and `message`.
DETAILS = (
    *VALUES,
    '[{"retryDelay": "²s"}]',
    '[{"retryDelay": "' + "9" * 400 + 's"}]',
    '[{"retryDelay": 1e400}]',
    '[{"retryDelay": -5}]',
    '[{"retryDelay": "-5s"}]',
    '[{"retryDelay": "NaN"}]',
    '[{"retryDelay": {"seconds": 5}}]',
    '[{"retryDelay": null}]',
    '[{"reason": null}]',
    '[{"reason": ["x"]}]',
    '[{"reason": {"reason": "x"}}]',
    '[{"violations": null}]',
    '[{"violations": [{"quotaId": 7}]}]',
    '[{"violations": {"quotaId": "PerDay"}}]',
    '[{"fieldViolations": [null]}]',
    '[{"fieldViolations": [{"field": 7}]}]',
    '[{"@type": 7}, {"@type": []}]',
    "[" + "{}," * 5000 + "{}]",
    '[{"x": ' + "[" * 500 + "]" * 500 + "}]",
)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_plain_refusal_with_odd_details_stays_one(upstream: Upstream, call: Call) -> None:
    """Nothing was executed, so a client may send it again."""
    odd = {}
    for member in ("details", "message", "code", "status", "other"):
        for value in DETAILS:
            body = f'{{"error": {{"code": 429, "message": "Busy.", "{member}": {value}}}}}'
            outcome = await outcome_of(call, upstream, httpx.Response(429, content=body.encode()))
            is_json = "NaN" not in value.replace('"NaN"', "") and "\\ud800" not in value
            if outcome is None or (not is_json and is_honest(call, outcome)):
                continue
            if not isinstance(outcome, UpstreamBusy) or outcome.spent or not 0 <= (outcome.retry_after or 0) < 4e7:
                odd[f"{member}: {value[:60]}"] = outcome
    assert odd == {}
