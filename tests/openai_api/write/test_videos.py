"""Video jobs into OpenAI's Video object and our events."""

from decimal import Decimal

import msgspec
import pytest

from adapter.domain.job import Failed, Failure, Stored, StoredVideo, VideoJob, advance
from adapter.domain.media import Pixels, Ratio
from adapter.domain.media_links import MediaLinks
from adapter.domain.usage import Cost, Currency, VideoTokens
from adapter.errors import ContentRefused, OwnFault
from adapter.openai_api.write.videos import video, video_event, video_list
from tests.fakes import rendered_job, video_job
from tests.support import LINKS

MEDIA = StoredVideo(video="a.mp4", poster="a.jpg", size=1, sha256="00")


def completed(media: StoredVideo = MEDIA) -> VideoJob:
    """Return a job whose video is ours."""
    return advance(rendered_job(), Stored(media, 1010.9))


def plain(body: msgspec.Struct) -> object:
    """Return what a client would parse."""
    return msgspec.json.decode(msgspec.json.encode(body))


NEW = {
    "id": "video_00000000000000000000000000000001",
    "object": "video",
    "created_at": 1000,
    "completed_at": None,
    "expires_at": None,
    "model": "veo-3.1-fast",
    "status": "queued",
    "progress": 0,
    "prompt": "waves 1",
    "seconds": "8",
    "size": "1280x720",
    "remixed_from_video_id": None,
    "error": None,
    "url": None,
    "thumbnail_url": None,
}


def test_a_new_video_has_all_keys() -> None:
    """The nullable ones too, as the specification requires; progress and times are whole numbers."""
    assert plain(video(msgspec.structs.replace(video_job(), created_at=1000.7), LINKS)) == NEW


def test_a_finished_video_has_links_and_an_end() -> None:
    """And says until when its files are there."""
    assert plain(video(completed(), LINKS)) == NEW | {
        "status": "completed",
        "progress": 100,
        "completed_at": 1010,
        "expires_at": 1010 + 3600,
        "url": "http://here:8000/media/a.mp4",
        "thumbnail_url": "http://here:8000/media/a.jpg",
    }


@pytest.mark.parametrize(
    ("cost", "usage"),
    [(Cost(Decimal("0.56"), Currency.USD), {"cost": 0.56}), (Cost(Decimal(20), Currency.CREDITS), {"credits": 20.0})],
)
def test_a_video_tells_what_it_costs(cost: Cost, usage: dict[str, float]) -> None:
    """From the beginning on; by another key in credits, which are no dollars."""
    job = msgspec.structs.replace(video_job(), cost=cost)

    assert plain(video(job, LINKS)) == NEW | {"usage": usage}


def test_a_failed_video_tells_no_cost() -> None:
    """It may have been paid for, or not."""
    job = msgspec.structs.replace(rendered_job(), cost=Cost(Decimal(20), Currency.CREDITS))
    failed = advance(job, Failed(Failure.of(ContentRefused("unsafe")), 1010.0))

    assert video(failed, LINKS).usage is msgspec.UNSET


def test_a_finished_video_tells_its_tokens() -> None:
    """Where its provider counts them. A video that is not finished tells none."""
    counted = msgspec.structs.replace(completed(), tokens=VideoTokens(12, 50, 40))
    running = msgspec.structs.replace(rendered_job(), tokens=VideoTokens(12, 50, 40))

    assert msgspec.to_builtins(video(counted, LINKS))["usage"] == {
        "input_tokens": 12,
        "output_tokens": 50,
        "total_tokens": 62,
        "output_tokens_details": {"video_tokens": 40},
    }
    assert "usage" not in msgspec.to_builtins(video(running, LINKS))


def test_an_extended_video_has_the_length_of_the_whole() -> None:
    """As at OpenAI."""
    order = msgspec.structs.replace(video_job().order, seconds=4, seconds_before=8)

    assert video(video_job(order=order), LINKS).seconds == "12"


def test_what_is_kept_for_ever_does_not_expire_and_a_missing_poster_is_null() -> None:
    """0 days of retention keep everything."""
    without = msgspec.structs.replace(MEDIA, poster=None)
    told = video(completed(without), MediaLinks(public_url="http://here:8000"))

    assert (told.expires_at, told.thumbnail_url) == (None, None)


@pytest.mark.parametrize(
    ("fault", "code"), [(ContentRefused("unsafe"), "moderation_blocked"), (OwnFault("oh", code=""), "internal_error")]
)
def test_a_failed_video_says_why(fault: ContentRefused | OwnFault, code: str) -> None:
    """Code and message are mandatory; it never completed, and has nothing that could expire."""
    told = video(advance(rendered_job(), Failed(Failure.of(fault), 1010.0)), LINKS)

    assert plain(told) == NEW | {
        "status": "failed",
        "progress": 99,
        "error": {"code": code, "message": fault.message},
    }


def test_a_failure_without_a_code_is_told_by_its_type() -> None:
    """A null would break clients."""
    failure = Failure(message="oh", code=None, type="server_error", status=502)
    told = video(advance(video_job(), Failed(failure, 1010.0)), LINKS)

    assert told.error is not None
    assert told.error.code == "server_error"


@pytest.mark.parametrize(
    ("ratio", "size", "shown"),
    [
        (Ratio.PORTRAIT, Pixels(1080, 1920), "1080x1920"),
        (Ratio.PORTRAIT, None, "720x1280"),
        (Ratio.LANDSCAPE, None, "1280x720"),
    ],
)
def test_the_size_is_the_clips(ratio: Ratio, size: Pixels | None, shown: str) -> None:
    """Of an old job, which did not keep it, it is told by the shape."""
    job = video_job()
    order = msgspec.structs.replace(job.order, ratio=ratio, size=size)

    assert video(msgspec.structs.replace(job, order=order), LINKS).size == shown


def test_each_change_is_told_as_it_was() -> None:
    """What came later is not in it: neither the end nor the links."""
    job = completed()
    events = [video_event(job, number, LINKS) for number in range(1, len(job.history) + 1)]

    assert [(event.type, event.sequence_number, event.video.progress) for event in events] == [
        ("video.queued", 1, 0),
        ("video.in_progress", 2, 0),
        ("video.in_progress", 3, 40),
        ("video.in_progress", 4, 99),
        ("video.completed", 5, 100),
    ]
    for event in events[:-1]:
        assert (event.video.completed_at, event.video.expires_at, event.video.url, event.video.error) == (None,) * 4
        assert event.type == f"video.{event.video.status}"
    assert events[-1].video == video(job, LINKS)


def test_the_last_change_of_a_failed_video_says_why() -> None:
    """The ones before do not know it yet."""
    job = advance(rendered_job(), Failed(Failure.of(ContentRefused("unsafe")), 1010.0))
    before, last = (video_event(job, number, LINKS) for number in (len(job.history) - 1, len(job.history)))

    assert (last.type, before.type) == ("video.failed", "video.in_progress")
    assert last.video.error is not None
    assert before.video.error is None


def test_a_page_names_its_ends() -> None:
    """Both are null on an empty one."""
    jobs = [video_job(number) for number in (3, 2, 1)]
    page = video_list(jobs, LINKS, has_more=True)
    empty = video_list([], LINKS, has_more=False)

    assert [each.id for each in page.data] == [job.id for job in jobs]
    assert (page.first_id, page.last_id, page.has_more) == (jobs[0].id, jobs[2].id, True)
    assert plain(empty) == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
