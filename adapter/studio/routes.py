"""`GET /`, `GET /studio` and the studio's files."""

from typing import Final

from litestar import HttpMethod, Request, Response, Router, get, route
from litestar.datastructures import State

from adapter.errors import NotFound
from adapter.studio.assets import Asset, asset, read_assets

#: Nothing from another host, nothing inline, and no other page may show these in a frame. A picture of the gallery is a
#: `blob:`.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    # A browser asks again each time, and gets a 304 as long as the file is the same.
    "cache-control": "no-cache",
}
#: What of `home.html` is left out without the studio, and the files that it loads.
BEGIN, END = "<!-- studio -->", "<!-- /studio -->"
OF_HOME: Final = ("base.css", "home.css", "home.js", "icon.svg")

AnyRequest = Request[object, object, State]


def studio_routes(*, is_offered: bool) -> Router:
    """Return the page at `/`, and the studio if it is offered."""
    assets = read_assets()
    home = assets["home.html"] if is_offered else _without_studio(assets["home.html"])
    loaded = {name: file for name, file in assets.items() if is_offered or name in OF_HOME}

    @route("/", http_method=[*HttpMethod], status_code=200, include_in_schema=False)
    async def read_home(request: AnyRequest) -> Response[bytes]:
        """Show a person's browser where to go. A program gets what it gets at any unknown address."""
        is_person = request.method == HttpMethod.GET and "text/html" in request.headers.get("accept", "")
        if not is_person:
            raise NotFound(f"Unknown request URL: {request.method} /.", code="unknown_url")
        answer = send_asset(request, home)
        answer.headers["vary"] = "accept"
        return answer

    @get("/studio", include_in_schema=False)
    async def read_studio(request: AnyRequest) -> Response[bytes]:
        """Show the studio. Its links are relative to an address without a slash at its end."""
        if request.scope["raw_path"].endswith(b"/"):
            return Response(b"", status_code=308, headers={"location": "../studio"})
        return send_asset(request, assets["index.html"])

    @get("/studio/{name:str}", include_in_schema=False)
    async def read_file(request: AnyRequest, name: str) -> Response[bytes]:
        """Send one of the files that the pages load."""
        if name not in loaded or name.endswith(".html"):
            raise NotFound(f"Unknown request URL: GET /studio/{name}.", code="unknown_url")
        return send_asset(request, loaded[name])

    return Router("/", route_handlers=[read_home, read_file, *([read_studio] if is_offered else [])])


def send_asset(request: AnyRequest, file: Asset) -> Response[bytes]:
    """Send a file, or a 304 to a browser that has it."""
    headers = {**HEADERS, "etag": file.etag}
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    return Response(file.content, status_code=200, media_type=file.media_type, headers=headers)


def _without_studio(home: Asset) -> Asset:
    before, _, rest = home.content.decode().partition(BEGIN)
    return asset((before + rest.partition(END)[2]).encode(), home.media_type)
