"""`/v1/files`: pictures that are uploaded once and named by their id wherever one is taken."""

from litestar import Response, delete, get, post
from litestar.types import ASGIApp

from adapter.domain.media import MediaFormat
from adapter.errors import InvalidRequest
from adapter.openai_api.read.files import read_upload
from adapter.openai_api.read.form import FormReader
from adapter.openai_api.read.paging import read_page
from adapter.openai_api.routes.files import FileAnswer
from adapter.openai_api.routes.reservation import body_chunks, offload
from adapter.openai_api.routes.services import OwnedRequest, Services, json_response
from adapter.openai_api.wire.files import FileDeleted
from adapter.openai_api.write.files import disposition, file_list, file_object

#: OpenAI's own limits of a page.
USUAL_PAGE = MOST_ON_A_PAGE = 10_000


@post("/files", status_code=200)
async def upload_file(request: OwnedRequest, services: Services) -> Response[bytes]:
    """Store an uploaded picture."""
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != "multipart/form-data":
        raise InvalidRequest("The body has to be multipart/form-data with a 'file' and a 'purpose'.", param="file")
    form = FormReader(content_type, most_file_bytes=services.longest_file)
    async for chunk in body_chunks(request, services):
        form.feed(chunk)
    parts = form.finish()
    given = await offload(sum(len(part.data) for part in parts), lambda: read_upload(parts))
    return json_response(file_object(await services.uploads.take(given, request.auth.owner)))


@get("/files")
async def list_files(request: OwnedRequest, services: Services) -> Response[bytes]:
    """List the caller's files, page by page."""
    page = read_page(request.query_params, usual=USUAL_PAGE, most=MOST_ON_A_PAGE)
    purpose = request.query_params.get("purpose") or None
    files, has_more = await services.uploads.list(request.auth.owner, page, purpose)
    return json_response(file_list(files, has_more=has_more))


@get("/files/{file_id:str}")
async def retrieve_file(request: OwnedRequest, file_id: str, services: Services) -> Response[bytes]:
    """Describe one file."""
    return json_response(file_object(await services.uploads.find(file_id, request.auth.owner)))


@delete("/files/{file_id:str}", status_code=200)
async def delete_file(request: OwnedRequest, file_id: str, services: Services) -> Response[bytes]:
    """Delete a file."""
    await services.uploads.delete(file_id, request.auth.owner)
    return json_response(FileDeleted(id=file_id))


@get("/files/{file_id:str}/content")
async def read_file(request: OwnedRequest, file_id: str, services: Services) -> ASGIApp:
    """Send a file's bytes."""
    file = await services.uploads.find(file_id, request.auth.owner)
    known = MediaFormat.of_name(file.name)
    return FileAnswer(
        await services.uploads.open(file),
        {
            "content-type": known.mime if known else "application/octet-stream",
            "content-length": str(file.size),
            "content-disposition": disposition(file),
            "x-content-type-options": "nosniff",
        },
    )
