"""`GET` and `HEAD /media/{name}`: finished files, open to whoever has the unguessable link."""

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.response import Stream

from adapter.openai_api.routes.desk import Desk
from adapter.openai_api.routes.files import FOR_EVER, send_file


@get("/media/{name:str}")
async def read_media(request: Request[None, None, State], name: str, desk: Desk) -> Stream | Response[None]:
    """Send a file, or the part of it that a player asks for."""
    return await send_file(request, desk, name, caching=FOR_EVER)
