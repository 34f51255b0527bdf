"""Videos of Gemini Omni in a project of Google Cloud, and the bucket that they may be left in.

There is no Files API: pictures come inline, and a video goes into the answer or into a folder of the bucket.
"""

import base64
import binascii
import secrets
from typing import Final
from urllib.parse import unquote

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from adapter.sandbox.cloud.tokens import project_checked, token_checked
from adapter.sandbox.fault_injection import served
from adapter.sandbox.faults import Endpoint, ResponseMutation
from adapter.sandbox.google_errors import GoogleError
from adapter.sandbox.memory.records import InteractionEnded, Medium, Operation
from adapter.sandbox.omni.callers import json
from adapter.sandbox.omni.interactions import described, executed
from adapter.sandbox.omni.refusals import InteractionError
from adapter.sandbox.omni.states import errors_of, finished_at, status_of
from adapter.sandbox.omni.wire import (
    Content,
    ImageContent,
    Interaction,
    InteractionRequest,
    MadeVideo,
    UserInput,
    VideoFormat,
)
from adapter.sandbox.renderer.pictures import measured
from adapter.sandbox.state import Incoming, SandboxState, entered

VERSIONS: Final = ("v1", "v1beta1")
PLACES: Final = [f"/{each}/projects/{{project:str}}/locations/{{location:str}}/interactions" for each in VERSIONS]
INLINE: Final = "inline"
FILE: Final = "sample_0.mp4"


class CloudVideoFormat(VideoFormat, frozen=True, forbid_unknown_fields=True):
    """What the video shall be like, and the folder for it."""

    gcs_uri: str = ""


class CloudInteractionRequest(InteractionRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST …/locations/global/interactions`."""

    response_format: CloudVideoFormat | None = None


class StoredObject(msgspec.Struct, frozen=True):
    """A file of a bucket."""

    name: str
    kind: str = "storage#object"


class Listing(msgspec.Struct, frozen=True):
    """`GET /storage/v1/b/{bucket}/o`."""

    items: list[StoredObject]
    kind: str = "storage#objects"


@post(PLACES, status_code=200)
async def create(request: Incoming, project: FromPath[str], location: FromPath[str]) -> ASGIResponse:
    """Have a video made in the background."""
    sandbox = _entered(request, "cloud.submit", project, location)
    asked = _read(await request.body())
    place = _place(sandbox, asked)
    plain = await _plain(sandbox, _owner(project), asked)

    async def work(_: ResponseMutation | None) -> ASGIResponse:
        operation = executed(sandbox, _owner(project), plain, place)
        return json(described(request, sandbox, operation, None, with_video=False))

    return await served(request, sandbox, ("cloud.submit", asked.prompt), work)


@get([f"{place}/{{name:str}}" for place in PLACES])
async def show(request: Incoming, project: FromPath[str], location: FromPath[str], name: FromPath[str]) -> ASGIResponse:
    """Tell how an interaction stands."""
    sandbox = _entered(request, "cloud.poll", project, location)
    operation, ended = _found(sandbox, project, name)

    async def work(mutation: ResponseMutation | None) -> ASGIResponse:
        told = described(request, sandbox, operation, ended, with_video=mutation != "no_media")
        return json(await _with_place(sandbox, operation, told))

    return await served(request, sandbox, ("cloud.poll", sandbox.ledger.clip(operation).prompt), work)


@post([f"{place}/{{name:str}}/cancel" for place in PLACES], status_code=200)
async def cancel(
    request: Incoming, project: FromPath[str], location: FromPath[str], name: FromPath[str]
) -> ASGIResponse:
    """End an interaction that is not finished."""
    sandbox = _entered(request, "cloud.poll", project, location)
    operation, ended = _found(sandbox, project, name)
    if status_of(sandbox, operation, ended) == "in_progress":
        ended = InteractionEnded(name=name, how="cancelled")
        sandbox.ledger.record(ended)
    return json(described(request, sandbox, operation, ended, with_video=False))


@get("/storage/v1/b/{bucket:str}/o")
async def list_bucket(request: Incoming, bucket: FromPath[str]) -> ASGIResponse:
    """List the files below a prefix."""
    sandbox = entered(request, "cloud.bucket")
    prefix = request.query_params.get("prefix", "")
    names = [_name(medium) for medium in _stored(request, sandbox, bucket)]
    return json(Listing([StoredObject(name) for name in names if name.startswith(prefix)]))


@get("/storage/v1/b/{bucket:str}/o/{name:path}")
async def show_file(request: Incoming, bucket: FromPath[str], name: FromPath[str]) -> ASGIResponse:
    """Hand out the bytes of a file."""
    sandbox = entered(request, "cloud.bucket")
    wanted = unquote(str(name)).removeprefix("/")
    found = next((medium for medium in _stored(request, sandbox, bucket) if _name(medium) == wanted), None)
    if found is None or request.query_params.get("alt") != "media":
        raise GoogleError(404, f"No such object: {bucket}/{wanted}")

    async def work(_: ResponseMutation | None) -> ASGIResponse:
        return ASGIResponse(body=await sandbox.gallery.file(found), media_type=found.mime)

    return await served(request, sandbox, ("cloud.bucket", found.prompt), work)


def _entered(request: Incoming, endpoint: Endpoint, project: str, location: str) -> SandboxState:
    sandbox = entered(request, endpoint)
    project_checked(request, sandbox, project)
    if location != "global":
        raise GoogleError(404)
    return sandbox


def _owner(project: str) -> str:
    return f"projects/{project}"


def _read(body: bytes) -> CloudInteractionRequest:
    try:
        return msgspec.json.decode(body, type=CloudInteractionRequest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise GoogleError(400, f"Invalid JSON payload received. {error}") from error


def _place(sandbox: SandboxState, asked: CloudInteractionRequest) -> str:
    form = asked.response_format
    if form is None or form.delivery == "inline":
        return INLINE
    folder = f"gs://{sandbox.rules.cloud.bucket}/"
    if not form.gcs_uri.startswith(folder):
        raise InteractionError(400, "response_format.gcs_uri has to name a folder of a bucket of the project.")
    return f"{form.gcs_uri.rstrip('/')}/{FILE}"


async def _plain(sandbox: SandboxState, owner: str, asked: CloudInteractionRequest) -> InteractionRequest:
    """Return the request as the Gemini API would get it: inline pictures as uploads, the video left at Google."""
    form = asked.response_format
    contents = [await _uploaded(sandbox, owner, each) for each in asked.contents]
    return msgspec.structs.replace(
        asked,
        input=(UserInput(tuple(contents)),),
        response_format=None if form is None else msgspec.structs.replace(form, delivery="uri"),
    )


async def _uploaded(sandbox: SandboxState, owner: str, content: Content) -> Content:
    if not isinstance(content, ImageContent) or not content.data:
        return content
    try:
        data = base64.b64decode(content.data, validate=True)
    except binascii.Error as error:
        raise InteractionError(400, "data is not base64.") from error
    width, height = measured(data) or (0, 0)
    name = secrets.token_hex(6)
    await sandbox.gallery.keep_upload(name, data)
    medium = Medium(
        id=name,
        name=f"files/{name}",
        account=owner,
        kind="upload",
        width=width,
        height=height,
        mime=content.mime_type,
    )
    sandbox.ledger.record(medium)
    return ImageContent(mime_type=content.mime_type, uri=medium.name)


def _found(sandbox: SandboxState, project: str, name: str) -> tuple[Operation, InteractionEnded | None]:
    found = sandbox.ledger.interaction(name)
    if found is None or found[0].account != _owner(project):
        raise InteractionError(404, f"Interaction '{name}' is not found.")
    return found


async def _with_place(sandbox: SandboxState, operation: Operation, told: Interaction) -> Interaction:
    """Return an interaction whose video is where it was asked for."""
    medium = sandbox.ledger.clip(operation)
    if not any(step.type == "model_output" for step in told.steps):
        return told
    if medium.place == INLINE:
        data = base64.b64encode(await sandbox.gallery.file(medium)).decode()
        made = MadeVideo(mime_type=medium.mime, data=data)
    else:
        made = MadeVideo(mime_type=medium.mime, uri=medium.place)
    steps = [msgspec.structs.replace(each, content=(made,)) if each.content else each for each in told.steps]
    return msgspec.structs.replace(told, steps=tuple(steps))


def _stored(request: Incoming, sandbox: SandboxState, bucket: str) -> list[Medium]:
    """Return the finished videos of the bucket."""
    token_checked(request, sandbox)
    if bucket != sandbox.rules.cloud.bucket:
        raise GoogleError(404, "The specified bucket does not exist.")
    media = sandbox.ledger.media_of(_owner(sandbox.rules.cloud.project))
    return [each for each in media if each.place.startswith("gs://") and _is_finished(sandbox, each)]


def _is_finished(sandbox: SandboxState, medium: Medium) -> bool:
    return not errors_of(medium) and sandbox.clock() >= finished_at(sandbox, medium)


def _name(medium: Medium) -> str:
    return medium.place.removeprefix("gs://").partition("/")[2]


ROUTES = [create, show, cancel, list_bucket, show_file]
