"""The one way out: foreign exceptions become ours, links are followed by hand, credentials stay home."""

from collections.abc import Callable

import httpx
import pytest

from adapter.errors import AdapterError, UpstreamBroken, UpstreamFault, UpstreamSilent, UpstreamUnreachable
from adapter.providers.http import Http
from tests.support import Answering

Google = Callable[[httpx.Request], httpx.Response]


def http(google: Google) -> Http:
    """Return the way out to a function that stands for Google."""
    return Http(Answering(google))


async def fetched(google: Google, url: str = "https://storage.example/a.mp4") -> bytes:
    """Return what a link leads to."""
    async with http(google).download(url) as download:
        return b"".join([chunk async for chunk in download])


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [
        (httpx.ConnectError, UpstreamUnreachable),
        (httpx.ConnectTimeout, UpstreamUnreachable),
        (httpx.PoolTimeout, UpstreamUnreachable),
        (httpx.LocalProtocolError, UpstreamUnreachable),
        (httpx.UnsupportedProtocol, UpstreamUnreachable),
        (httpx.ReadTimeout, UpstreamSilent),
        (httpx.WriteTimeout, UpstreamSilent),
        (httpx.ReadError, UpstreamBroken),
        (httpx.WriteError, UpstreamBroken),
        (httpx.RemoteProtocolError, UpstreamBroken),
        (httpx.DecodingError, UpstreamBroken),
    ],
)
async def test_every_foreign_exception_is_named_by_what_it_proves(
    foreign: type[httpx.RequestError], ours: type[AdapterError]
) -> None:
    """Only what provably sent nothing is called unreachable; everything else may have been executed."""

    def google(request: httpx.Request) -> httpx.Response:
        raise foreign("https://google/?key=secret", request=request)

    for post in (http(google).post, http(google).post_once):
        with pytest.raises(ours) as caught:
            await post("https://google/x", headers={}, body=b"", seconds=1.0)

        assert "secret" not in str(caught.value)


async def test_an_answer_is_handed_on_whatever_its_status() -> None:
    """What a status means is the provider's business."""
    reply = await http(lambda _: httpx.Response(418, content=b"tea")).post(
        "https://g/", headers={}, body=b"", seconds=1
    )

    assert (reply.status, reply.body) == (418, b"tea")


async def test_a_post_is_never_redirected() -> None:
    """A redirect would carry `x-goog-api-key` to another host (measured of httpx, `reliability.md` section 0.5)."""
    seen = []

    def google(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(307, headers={"location": "https://evil.example/"})

    reply = await http(google).post("https://google/x", headers={"x-goog-api-key": "k"}, body=b"", seconds=1)

    assert (reply.status, seen) == (307, ["google"])


async def test_a_link_is_followed_by_hand_without_credentials() -> None:
    """Redirects of a signed link lead on over https."""

    def google(request: httpx.Request) -> httpx.Response:
        assert not {"authorization", "x-goog-api-key", "cookie"} & set(request.headers)
        if request.url.host == "storage.example":
            return httpx.Response(302, headers={"location": "https://cdn.example/b.mp4"})
        return httpx.Response(200, stream=httpx.ByteStream(b"bytes"))

    assert await fetched(google) == b"bytes"


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest", "http://cdn.example/b.mp4", "https://storage.example/a.mp4"]
)
async def test_a_link_that_leaves_https_or_runs_in_circles_is_broken(target: str) -> None:
    """A downgrade is not followed, and nothing is followed for ever."""
    with pytest.raises(UpstreamBroken):
        await fetched(lambda _: httpx.Response(302, headers={"location": target}))


@pytest.mark.parametrize("status", [204, 206, 401, 403, 404, 410, 500, 503])
async def test_any_other_answer_to_a_link_is_broken(status: int) -> None:
    """An expired link or an error page is never taken for a video."""
    with pytest.raises(UpstreamBroken, match=str(status)):
        await fetched(lambda _: httpx.Response(status, content=b"<html>"))


@pytest.mark.parametrize(
    ("headers", "is_whole"),
    [
        ({"content-length": "5"}, True),
        ({"content-length": "6"}, False),
        ({"content-length": "nonsense"}, False),
        ({"transfer-encoding": "chunked"}, True),
        ({}, False),
    ],
)
async def test_a_download_knows_whether_it_is_whole(headers: dict[str, str], *, is_whole: bool) -> None:
    """By its announced length or its framing; a body that ends with its connection proves nothing."""
    reply = httpx.Response(200, headers=headers, stream=httpx.ByteStream(b"12345"))
    async with http(lambda _: reply).download("https://g/") as download:
        assert download.is_whole(5) is is_whole


@pytest.mark.parametrize("url", ["https://xn--\ud800/", "http://xn--a/x", "file:///etc/passwd", "nonsense", ""])
async def test_a_link_that_is_no_address_is_a_fault_of_the_upstream(url: str) -> None:
    """It comes from an answer of Google's."""
    with pytest.raises(UpstreamFault):
        await fetched(lambda _: httpx.Response(200, stream=httpx.ByteStream(b"")), url)
