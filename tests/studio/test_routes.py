"""What the addresses of the studio answer."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from typing import Final

import httpx
import pytest
from litestar.testing import AsyncTestClient

from adapter.openai_api.routes.api import api
from adapter.studio.assets import FILES, MEDIA_TYPES
from adapter.studio.routes import studio_routes

pytestmark = pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")

#: As browsers send it for a page.
BROWSER: Final = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@asynccontextmanager
async def asking(*, is_offered: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of every route, with nothing behind them."""
    app = api(lambda _: nullcontext(), body_bytes=1024, beside=[studio_routes(is_offered=is_offered)])
    async with AsyncTestClient(app) as client:
        yield client


async def test_a_browser_is_shown_where_to_go() -> None:
    """`GET /` links the studio, the description and the health."""
    async with asking() as client:
        page = await client.get("/", headers=BROWSER)

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["vary"] == "accept"
    assert all(f'href="{where}"' in page.text for where in ("studio", "openapi.json", "health", "ready"))


@pytest.mark.parametrize(
    ("method", "headers"), [("GET", {}), ("GET", {"accept": "application/json"}), ("POST", BROWSER), ("PUT", {})]
)
async def test_a_program_gets_at_the_root_what_it_gets_at_any_unknown_address(
    method: str, headers: Mapping[str, str]
) -> None:
    """A 404 in OpenAI's form."""
    async with asking() as client:
        answer = await client.request(method, "/", headers=headers)

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "unknown_url"
    assert answer.json()["error"]["message"] == f"Unknown request URL: {method} /."


@pytest.mark.parametrize("path", ["/", "/studio", "/studio/app.js", "/studio/studio.css", "/studio/icon.svg"])
async def test_a_page_may_load_nothing_from_elsewhere(path: str) -> None:
    """The policy allows this server only, nothing inline, and no frame around the page."""
    async with asking() as client:
        answer = await client.get(path, headers=BROWSER)

    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_page_has_code_or_style_inside() -> None:
    """The policy would refuse it."""
    pages = [path.read_text() for path in FILES.glob("*.html")]

    assert [page for page in pages if "<style" in page or " style=" in page or " onclick=" in page] == []
    assert all(page.count("<script") == page.count('<script type="module" src="studio/') for page in pages)


async def test_a_file_that_a_browser_has_is_not_sent_again() -> None:
    """Its tag says that it is the same."""
    async with asking() as client:
        first = await client.get("/studio/app.js")
        again = await client.get("/studio/app.js", headers={"if-none-match": f"W/{first.headers['etag']}"})

    assert (first.status_code, again.status_code) == (200, 304)
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]


async def test_every_file_of_the_studio_is_sent() -> None:
    """With the type that a browser wants of it."""
    async with asking() as client:
        for path in FILES.iterdir():
            if path.suffix == ".html":
                continue
            answer = await client.get(f"/studio/{path.name}")
            assert answer.status_code == 200, path.name
            assert answer.headers["content-type"].startswith(MEDIA_TYPES[path.suffix])


@pytest.mark.parametrize(
    "path", ["/studio/no.js", "/studio/index.html", "/studio/..%2fassets.py", "/studio/__init__.py"]
)
async def test_no_other_file_is_sent(path: str) -> None:
    """The rest is a 404 in OpenAI's form."""
    async with asking() as client:
        answer = await client.get(path)

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_url")


async def test_the_studio_has_one_address() -> None:
    """The links of the page begin at an address without a slash at its end, below any folder of a proxy."""
    async with asking() as client:
        answer = await client.get("/studio/", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (308, "../studio")


async def test_the_studio_can_be_switched_off() -> None:
    """`GET /` stays, without the link and with what it loads."""
    async with asking(is_offered=False) as client:
        page = await client.get("/", headers=BROWSER)
        loaded = [await client.get(f"/studio/{name}") for name in ("base.css", "home.css", "home.js", "icon.svg")]
        others = [await client.get(path) for path in ("/studio", "/studio/app.js")]

    assert 'href="openapi.json"' in page.text
    assert 'href="studio"' not in page.text
    assert [each.status_code for each in loaded] == [200] * 4
    assert [each.status_code for each in others] == [404] * 2
