"""Replies into response objects and their events."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapter.domain.grounding import Grounding, WebSource
from adapter.domain.job import Event as JobEvent
from adapter.domain.job import (
    Failed,
    Failure,
    Intended,
    Operation,
    Progressed,
    Rendered,
    Stored,
    StoredVideo,
    Submitted,
    VideoJob,
    advance,
)
from adapter.domain.media import RemoteVideo
from adapter.domain.paging import Page
from adapter.domain.stored_response import ResponseStatus, StoredResponse
from adapter.domain.usage import Cost, Currency, Usage
from adapter.errors import (
    AdapterError,
    ContentRefused,
    Draining,
    InvalidRequest,
    JobFailed,
    UpstreamBroken,
    UpstreamBusy,
)
from adapter.openai_api.wire.responses import Event, GivenMessage, OutputText
from adapter.openai_api.write import response_events
from adapter.openai_api.write import responses as write_responses
from adapter.openai_api.write.response_events import Numbering
from adapter.openai_api.write.responses import item_list, response, with_picture, with_video
from tests.fakes import made_image, stored, video_job
from tests.journeys.contract import validator
from tests.support import LINKS

HERE = "http://here:8000"
IMAGE = msgspec.structs.replace(made_image(), usage=Usage(input_text=3, output_image=1120))
DONE = stored().completed(IMAGE, 1012.5)


def wired(struct: object, schema: str = "Response") -> Any:  # noqa: ANN401  # JSON, to be looked into
    """Return what goes out, which keeps to OpenAI's schema."""
    sent = msgspec.json.decode(msgspec.json.encode(struct))
    assert [error.message for error in validator(schema).iter_errors(sent)] == []
    return sent


def told(events: Iterable[Event], numbering: Numbering | None = None) -> list[tuple[int, str]]:
    """Return the numbers and kinds of events, each of which keeps to OpenAI's schema."""
    numbered = list((numbering or Numbering()).number(events))
    for event in numbered:
        wired(event, "ResponseStreamEvent")
    return [(event.sequence_number, event.type.removeprefix("response.")) for event in numbered]


def job(*events: JobEvent) -> VideoJob:
    """Return a job after these events, beginning with its submission."""
    made = advance(advance(video_job(), Intended("a")), Submitted(Operation("op", "m"), 1000.0))
    for event in events:
        made = advance(made, event)
    return made


FILM = job(
    Progressed(50),
    Rendered(RemoteVideo("u")),
    Stored(StoredVideo(video="a.mp4", poster="a.jpg", size=1, sha256="00"), 1080.0),
)
NO_FILM = job(Failed(Failure.of(JobFailed("It broke.")), 1080.0))


def test_a_finished_response_shows_its_picture_as_it_really_is() -> None:
    """What was asked for may have been something else."""
    sent = wired(with_picture(DONE, IMAGE))
    item, message = sent["output"]

    assert (sent["id"], sent["status"], sent["completed_at"]) == (f"resp_{DONE.key}", "completed", 1012)
    assert item == {
        "type": "image_generation_call",
        "id": f"ig_{DONE.key}",
        "status": "completed",
        "result": msgspec.json.decode(IMAGE.base64),
        "action": "generate",
        "size": "16x9",
        "quality": "low",
        "output_format": "png",
        "background": "opaque",
        "revised_prompt": "a fox",
    }
    assert message == {
        "type": "message",
        "id": f"msg_{DONE.key}",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "", "annotations": [], "logprobs": []}],
    }
    assert sent["usage"] == {
        "input_tokens": 3,
        "output_tokens": 1120,
        "total_tokens": 1123,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }


def test_a_response_tells_what_its_picture_cost() -> None:
    """Also when it is read again from its row; OpenAI's schema allows the key."""
    paid = msgspec.structs.replace(IMAGE, cost=Cost(Decimal("0.0336"), Currency.USD))
    done = stored().completed(paid, 1012.5)
    again = msgspec.json.decode(msgspec.json.encode(done), type=StoredResponse)

    assert wired(with_picture(done, paid))["usage"]["cost"] == 0.0336
    assert wired(with_picture(again, paid))["usage"] == wired(with_picture(done, paid))["usage"]


def test_a_response_tells_what_its_video_cost() -> None:
    """In credits at Flow. Tokens are not counted there, and OpenAI's schema requires numbers."""
    job = msgspec.structs.replace(video_job(), cost=Cost(Decimal(20), Currency.CREDITS))
    for event in (
        Intended("first"),
        Submitted(Operation("op-1", "scene-1"), 1000.0),
        Rendered(RemoteVideo("https://far/clip")),
        Stored(StoredVideo(video="a.mp4", poster="a.jpg", size=1, sha256="00"), 1010.0),
    ):
        job = advance(job, event)
    usage = wired(with_video(stored(video=job.id), job, LINKS))["usage"]

    assert (usage["credits"], usage["total_tokens"], "cost" in usage) == (20.0, 0, False)


def test_what_the_model_wrote_beside_its_picture_is_the_message() -> None:
    """Whole and as a stream, which then has the text as one more event."""
    image = msgspec.structs.replace(IMAGE, text="A fox, as you like it.")
    done = stored().completed(image, 1012.5)
    events = [*response_events.picture_done(done, image)]

    assert wired(with_picture(done, image))["output"][1]["content"][0]["text"] == image.text
    assert [event.delta for event in events if event.type == "response.output_text.delta"] == [image.text]
    assert events[-1].response == with_picture(done, image)


def test_a_response_from_before_has_the_message_as_well() -> None:
    """Its row says nothing of a text."""
    row = msgspec.json.decode(msgspec.json.encode(DONE))
    del row["drawn"]["text"]
    old = msgspec.json.decode(msgspec.json.encode(row), type=StoredResponse)

    assert wired(with_picture(old, IMAGE)) == wired(with_picture(DONE, IMAGE))


def test_an_input_that_has_its_answer_is_answered_with_a_message_alone() -> None:
    """Which costs nothing, and says where the answer is: some agents take an empty message for no answer."""
    answered = stored().answered(1012.5)
    sent = wired(with_picture(answered, None))
    [message] = sent["output"]

    assert (sent["status"], sent["completed_at"], sent["usage"]["total_tokens"]) == ("completed", 1012, 0)
    assert message["content"][0]["text"].startswith("What was asked for is in the answer before this one.")
    assert told([*response_events.opening(answered), *response_events.text_only(answered)]) == list(
        enumerate(
            [
                "created",
                "in_progress",
                "output_item.added",
                "content_part.added",
                "output_text.delta",
                "output_text.done",
                "content_part.done",
                "output_item.done",
                "completed",
            ]
        )
    )


def test_what_shows_nothing_has_no_message() -> None:
    """Neither what is being made, nor what failed, nor what was called off."""
    for status in (ResponseStatus.QUEUED, ResponseStatus.IN_PROGRESS, ResponseStatus.FAILED, ResponseStatus.CANCELLED):
        assert wired(with_picture(stored(status=status), None))["output"] == []


def test_what_nobody_counted_is_left_out() -> None:
    """Null is not allowed there."""
    free = stored().completed(made_image(), 1012.5)

    assert "usage" not in wired(with_picture(free, made_image()))
    assert "usage" not in wired(response(stored()))


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (ContentRefused("no"), "image_content_policy_violation"),
        (InvalidRequest("no", code="failed_to_download_image"), "failed_to_download_image"),
        (InvalidRequest("no", code="image_too_large"), "image_too_large"),
        (InvalidRequest("no", code="invalid_image"), "invalid_image"),
        (InvalidRequest("no"), "invalid_prompt"),
        (UpstreamBusy("no"), "rate_limit_exceeded"),
        (UpstreamBroken("no"), "server_error"),
        (Draining("no"), "server_error"),
    ],
)
def test_a_failure_is_one_of_openais_words(fault: AdapterError, code: str) -> None:
    """Their list is closed; the message is ours."""
    sent = wired(response(stored().failed(Failure.of(fault), 1010.0)))

    assert (sent["status"], sent["error"], sent["completed_at"]) == ("failed", {"code": code, "message": "no"}, None)


def test_a_picture_is_told_in_the_order_that_all_clients_read() -> None:
    """Section 7 of the reference."""
    assert told(
        [
            *response_events.opening(DONE),
            *response_events.picture_begun(DONE),
            *response_events.picture_done(DONE, IMAGE),
        ]
    ) == list(
        enumerate(
            [
                "created",
                "in_progress",
                "output_item.added",
                "image_generation_call.in_progress",
                "image_generation_call.generating",
                "image_generation_call.completed",
                "output_item.done",
                "output_item.added",
                "content_part.added",
                "output_text.done",
                "content_part.done",
                "output_item.done",
                "completed",
            ]
        )
    )


def test_every_entry_of_a_picture_has_its_place() -> None:
    """The picture is the first, the message behind it the second."""
    events = [*response_events.picture_begun(DONE), *response_events.picture_done(DONE, IMAGE)]
    ended = [event.item for event in events if event.type == "response.output_item.done"]

    assert [event.output_index for event in events[:-1]] == [0] * 5 + [1] * 5
    assert ended == list(with_picture(DONE, IMAGE).output)


def test_what_is_made_in_the_background_is_queued_first() -> None:
    """And not yet what it will be."""
    events = list(response_events.opening(msgspec.structs.replace(DONE, background=True)))

    assert [kind for _, kind in told(events)] == ["created", "queued", "in_progress"]
    assert [wired(event.response)["status"] for event in events if event.response] == [
        "queued",
        "queued",
        "in_progress",
    ]


def test_a_failed_picture_ends_with_its_reason() -> None:
    """No entry is finished that has nothing to show."""
    failed = stored().failed(Failure.of(ContentRefused("no")), 1010.0)
    events = [*response_events.opening(failed), *response_events.picture_begun(failed), *response_events.ending(failed)]

    assert told(events)[-1] == (5, "failed")
    assert wired(events[0].response)["error"] is None
    assert wired(events[-1].response)["error"]["code"] == "image_content_policy_violation"


def test_a_stream_goes_on_after_what_its_reader_has() -> None:
    """With the numbers that its events had the first time."""
    numbering = Numbering(starting_after=5)
    before = told([*response_events.opening(DONE), *response_events.picture_begun(DONE)], numbering)

    assert before == []
    assert told(response_events.picture_done(DONE, IMAGE), numbering) == [
        (6, "output_item.done"),
        (7, "output_item.added"),
        (8, "content_part.added"),
        (9, "output_text.done"),
        (10, "content_part.done"),
        (11, "output_item.done"),
        (12, "completed"),
    ]


def test_a_video_is_told_as_reasoning_and_handed_over_as_a_message() -> None:
    """Every entry that was begun is finished; all that was said makes up what stands in the end."""
    video = stored(video=FILM.id)
    events = [
        *response_events.opening(video),
        *response_events.video_begun(video),
        *response_events.video_moved(video, FILM.history),
        *response_events.video_end(video, FILM, LINKS),
    ]
    kinds = [kind for _, kind in told(events)]
    summary = "".join(
        event.delta for event in events if event.type == "response.reasoning_summary_text.delta" and event.delta
    )
    reasoning, message = wired(with_video(video, FILM, LINKS))["output"]

    assert kinds[:4] == ["created", "in_progress", "output_item.added", "reasoning_summary_part.added"]
    assert kinds[4 : 4 + len(FILM.history)] == ["reasoning_summary_text.delta"] * len(FILM.history)
    assert kinds[4 + len(FILM.history) :] == [
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert reasoning["summary"] == [{"type": "summary_text", "text": summary}]
    assert "Making the video: 50 %.\n" in summary
    assert message["content"][0]["text"].endswith(f"[Download video]({HERE}/media/a.mp4?download=1)")


def test_a_video_that_was_not_made_fails_its_response() -> None:
    """In a stream and when it is looked up."""
    video = stored(video=NO_FILM.id)

    assert told(response_events.video_end(video, NO_FILM, LINKS)) == [(0, "failed")]
    assert wired(with_video(video, NO_FILM, LINKS))["error"] == {"code": "server_error", "message": "It broke."}


@pytest.mark.parametrize(
    ("changes", "at", "status"),
    [
        ({}, video_job(), "in_progress"),
        ({"background": True}, video_job(), "queued"),
        ({"background": True}, job(), "in_progress"),
        ({}, FILM, "completed"),
        ({"status": ResponseStatus.CANCELLED}, FILM, "cancelled"),
    ],
)
def test_a_video_stands_where_its_job_stands(changes: dict[str, object], at: VideoJob, status: str) -> None:
    """Unless its response was called off."""
    sent = wired(with_video(msgspec.structs.replace(stored(video=at.id), **changes), at, LINKS))

    assert sent["status"] == status
    assert bool(sent["output"]) is (status == "completed")


def test_the_input_is_shown_page_by_page() -> None:
    """Newest first, or as it was written."""
    items = [GivenMessage(id=f"msg_{number}", role="user", content=()) for number in range(4)]
    page = item_list(items, Page(limit=2))
    rest = item_list(items, Page(limit=2, after="msg_2"))
    oldest = item_list(items, Page(limit=3, after="msg_0", newest_first=False))

    assert ([item.id for item in page.data], page.first_id, page.last_id, page.has_more) == (
        *(["msg_3", "msg_2"], "msg_3", "msg_2"),
        True,
    )
    assert ([item.id for item in rest.data], rest.has_more) == (["msg_1", "msg_0"], False)
    assert [item.id for item in oldest.data] == ["msg_1", "msg_2", "msg_3"]
    assert wired(item_list([], Page(limit=2)), "ResponseItemList")["first_id"] == ""
    wired(page, "ResponseItemList")


def test_a_reply_that_nobody_works_on_any_more_has_failed_at_that_moment() -> None:
    """One that is over, or that nobody works on in the background, has not."""
    live: StoredResponse = stored(alive_until=1060.0)

    assert live.seen(1059.9) is live
    assert live.seen(1060.0).status is ResponseStatus.FAILED
    assert stored().seen(9e9).status is ResponseStatus.IN_PROGRESS
    assert msgspec.structs.replace(DONE, alive_until=1060.0).seen(9e9).status is ResponseStatus.COMPLETED


FOUND = Grounding(
    queries=("fox",), sources=(WebSource("https://a.example/", "A [fox]"), WebSource("https://b.example/", ""))
)
SEARCHED = msgspec.structs.replace(IMAGE, text="A fox. 🦊", grounding=FOUND)


def test_pages_that_the_model_found_are_cited_in_the_message() -> None:
    """Each where its link stands."""
    [content] = wired(with_picture(stored().completed(SEARCHED, 1012.5), SEARCHED))["output"][1]["content"]

    text, cited = content["text"], content["annotations"]
    assert text == "A fox. 🦊\n\nSources:\n- [A \\[fox\\]](https://a.example/)\n- [b.example](https://b.example/)"
    assert [(one["type"], one["url"], one["title"], text[one["start_index"] : one["end_index"]]) for one in cited] == [
        ("url_citation", "https://a.example/", "A [fox]", "[A \\[fox\\]](https://a.example/)"),
        ("url_citation", "https://b.example/", "https://b.example/", "[b.example](https://b.example/)"),
    ]


def test_a_stream_has_an_event_for_each_citation() -> None:
    """Before the end of the text, and again in its parts."""
    events = [*response_events.picture_done(stored().completed(SEARCHED, 1012.5), SEARCHED)]

    assert [kind for _, kind in told(events)][-7:] == [
        "output_text.delta",
        "output_text.annotation.added",
        "output_text.annotation.added",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [event.annotation_index for event in events if event.type.endswith("annotation.added")] == [0, 1]
    [part] = [event.part for event in events if event.type == "response.content_part.done"]
    assert isinstance(part, OutputText)
    assert part.annotations == write_responses.citations(stored().completed(SEARCHED, 1012.5))


def test_a_stored_response_keeps_its_pages() -> None:
    """In a form that older rows are read in as well."""
    done = stored().completed(SEARCHED, 1012.5)
    row = msgspec.json.encode(done)

    assert msgspec.json.decode(row, type=StoredResponse) == done
    assert msgspec.json.decode(msgspec.json.encode(DONE), type=StoredResponse) == DONE
    assert b"grounding" not in msgspec.json.encode(DONE)
