"""The video that a request wants to have changed or extended: one of ours by its id, or a file."""

from collections.abc import Sequence

import msgspec

from adapter.domain.ids import Id
from adapter.domain.orders import InlineSource
from adapter.errors import InvalidRequest
from adapter.openai_api.read.body import read_json
from adapter.openai_api.read.form import Part, plant
from adapter.openai_api.read.media import read_media_form, read_tree
from adapter.openai_api.wire.videos import VideoWorkRequest

FIELD = "video"
ALLOWED = 'the id of a completed video, {"id": "video_…"}, or the file of a form'
LONGEST_ID = 128


def read_work_json(body: bytes) -> VideoWorkRequest:
    """Return a JSON body.

    Raises:
        InvalidRequest, RequestTooLarge: as `read_media_json`.
    """
    tree = read_json(body, dict[str, object])
    given = tree.pop(FIELD, None)
    return msgspec.structs.replace(read_tree(tree, VideoWorkRequest), video=given)


def read_work_form(parts: Sequence[Part]) -> VideoWorkRequest:
    """Return a form.

    Raises:
        InvalidRequest, RequestTooLarge: as `read_media_form`.
    """
    given = plant(part for part in parts if _is_video(part)).get(FIELD)
    others = [part for part in parts if not _is_video(part)]
    return msgspec.structs.replace(read_media_form(others, VideoWorkRequest), video=given)


def _is_video(part: Part) -> bool:
    return part.name.partition("[")[0] == FIELD


def given_video(request: VideoWorkRequest) -> str | InlineSource:
    """Return the id of the video that a request is about, or the file that came with it.

    Raises:
        InvalidRequest: it names none.
    """
    if request.video is None:
        raise InvalidRequest(f"'{FIELD}' is required: {ALLOWED}.", param=FIELD, code="missing_required_parameter")
    value = request.video.get("id") if isinstance(request.video, dict) else request.video
    if isinstance(value, Part):
        if not _is_id(value.data):
            return InlineSource(value.data, FIELD)
        value = value.data.decode(errors="replace")
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID:
        raise InvalidRequest(f"'{FIELD}' names no video. Allowed: {ALLOWED}.", param=FIELD)
    return value


def _is_id(data: bytes) -> bool:
    return len(data) <= LONGEST_ID and data.startswith(Id.VIDEO.encode())
