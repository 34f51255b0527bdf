"""Requests for a finished video in a finer resolution."""

import msgspec
import pytest

from adapter.domain.job import Stored, StoredVideo, VideoJob, advance
from adapter.domain.media import Pixels, Ratio, RemoteVideo
from adapter.domain.orders import VideoDraft, VideoInput, VideoSource
from adapter.errors import InvalidRequest
from adapter.openai_api.read.media import read_tree
from adapter.openai_api.read.upscales import upscale_draft
from adapter.openai_api.read.video_works import remix_draft
from adapter.openai_api.wire.media import MediaRequest
from adapter.openai_api.wire.videos import UpscaleRequest
from tests.fakes import rendered_job, video_job
from tests.support import context

TERMS = context()
MEDIA = StoredVideo(video="a.mp4", poster=None, size=1, sha256="00")


def finished(*, ratio: Ratio = Ratio.LANDSCAPE, name: str = "CAUS-name", **changes: object) -> VideoJob:
    """Return a finished video of Flow, of which Google's name is known."""
    job = advance(rendered_job(), Stored(MEDIA, 1010.0))
    order = msgspec.structs.replace(job.order, provider="flow", ratio=ratio, **changes)
    return msgspec.structs.replace(job, order=order, remote=RemoteVideo("https://far/clip", name=name))


def read(source: VideoJob, **fields: object) -> VideoDraft:
    """Read a request for it."""
    return upscale_draft(read_tree(fields, UpscaleRequest).media, source, TERMS)


@pytest.mark.parametrize(
    ("fields", "ratio", "resolution", "size"),
    [
        ({"resolution": "1080p"}, Ratio.LANDSCAPE, "1080p", "1920x1080"),
        ({"resolution": "4K"}, Ratio.PORTRAIT, "4k", "2160x3840"),
        ({"resolution": "2160p"}, Ratio.LANDSCAPE, "4k", "3840x2160"),
        ({"size": "1920x1080"}, Ratio.LANDSCAPE, "1080p", "1920x1080"),
        ({"size": "1080p", "resolution": "1080p"}, Ratio.PORTRAIT, "1080p", "1080x1920"),
    ],
)
def test_a_finished_video_is_ordered_finer(fields: dict[str, object], ratio: Ratio, resolution: str, size: str) -> None:
    """By Google's own name of it, with the account that made it; the rest of the order stays."""
    source = finished(ratio=ratio)
    order = read(source, **fields).order

    assert order == msgspec.structs.replace(
        source.order,
        upstream=f"veo_3_1_upsampler_{resolution}",
        resolution=resolution,
        size=Pixels.parse(size),
        seed=source.seed,
        input=VideoInput.UPSCALE,
        remix_of=source.id,
        source=VideoSource("CAUS-name", "first"),
    )


def test_an_upscale_has_a_price_of_its_own() -> None:
    """Free is a price: 1080p."""
    costs = {word: [quote.amount for quote in read(finished(), resolution=word).quotes] for word in ("1080p", "4k")}

    assert costs == {"1080p": [0], "4k": [50]}


@pytest.mark.parametrize(
    ("source", "fields", "param", "words"),
    [
        (finished(), {}, "resolution", "'resolution' is missing. Allowed: 1080p, 4k"),
        (finished(), {"resolution": "720p"}, "resolution", "cannot be '720p' here. Allowed: 1080p, 4k"),
        (finished(), {"resolution": "4k", "size": "1920x1080"}, "size", "cannot be '1920x1080'"),
        (finished(), {"resolution": "4k", "seconds": 4}, "seconds", "Nothing changes but the resolution"),
        (finished(name=""), {"resolution": "4k"}, "video_id", "Google's own name of this video is not known"),
        (finished(model="gemini-omni-1.2-flash"), {"resolution": "4k"}, "video_id", "cannot be made finer"),
        (finished(model="gone"), {"resolution": "4k"}, "video_id", "cannot be made finer"),
        (
            finished(input=VideoInput.UPSCALE, remix_of="video_1"),
            {"resolution": "4k"},
            "video_id",
            "begin with the video 'video_1'",
        ),
        (video_job(), {"resolution": "4k"}, "video_id", "Only a completed video can be made finer; this one is queued"),
    ],
)
def test_what_cannot_be_made_finer_is_refused_before_it_costs_anything(
    source: VideoJob, fields: dict[str, object], param: str, words: str
) -> None:
    """By the name of what is wrong, with what is allowed."""
    with pytest.raises(InvalidRequest, match=words) as caught:
        read(source, **fields)
    assert caught.value.param == param


def test_a_finer_video_is_not_remixed() -> None:
    """The one that it was made from can be."""
    source = finished(input=VideoInput.UPSCALE, remix_of="video_1")

    with pytest.raises(InvalidRequest, match="remix the video 'video_1' instead"):
        remix_draft(MediaRequest(prompt="waves"), source, TERMS)
