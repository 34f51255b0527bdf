"""`GET` and `HEAD /media/{name}`: finished files. The unguessable link is the only credential."""

from litestar import Request, get
from litestar.datastructures import State
from litestar.types import ASGIApp

from adapter.openai_api.read.fields import switch
from adapter.openai_api.routes.files import FOR_EVER, send_file
from adapter.openai_api.routes.services import Services
from adapter.openai_api.write.links import attachment

#: Says that the file is to be saved, not shown.
DOWNLOAD = "download"


@get("/media/{name:str}")
async def read_media(request: Request[None, None, State], name: str, services: Services) -> ASGIApp:
    """Send a file, or the part of it that a player asks for."""
    saved = switch(request.query_params.get(DOWNLOAD), DOWNLOAD)
    answer = await send_file(request, services, await services.files.find(name), caching=FOR_EVER)
    if saved:
        answer.headers["content-disposition"] = attachment(name)
    return answer
