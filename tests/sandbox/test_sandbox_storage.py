"""Signed links behave like Cloud Storage's: they expire, notice tampering, and serve ranges."""

import pytest

from tests.sandbox.helpers import FLOW, IMAGES, Client, Clock, finished, opened, seed, submitted


@pytest.fixture
async def link(client: Client, clock: Clock) -> str:
    """The link of a finished video."""
    media = await finished(client, clock, await submitted(client))
    return str(media["video"]["fifeUrl"])


async def test_a_link_names_its_signer(link: str) -> None:
    """The path and query have the seed's form, on the host that the client asked."""
    assert link.startswith("http://testserver.local/video/")
    assert [part.split("=")[0] for part in link.split("?")[1].split("&")] == ["GoogleAccessId", "Expires", "Signature"]


async def test_a_video_is_served_whole(client: Client, link: str) -> None:
    """Content type, length and entity tag are there, for HEAD too."""
    answer, head = await client.get(link), await client.head(link)

    assert answer.headers["content-type"] == "video/mp4"
    assert int(answer.headers["content-length"]) == len(answer.content) > 1000
    assert (head.content, head.headers["content-length"]) == (b"", answer.headers["content-length"])
    assert answer.headers["etag"] == head.headers["etag"]
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    ("asked", "span"),
    [("bytes=0-99", slice(0, 100)), ("bytes=100-", slice(100, None)), ("bytes=-50", slice(-50, None))],
)
async def test_a_range_is_served(client: Client, link: str, asked: str, span: slice) -> None:
    """The three forms of one range give exactly those bytes."""
    whole = (await client.get(link)).content

    answer = await client.get(link, headers={"range": asked})

    assert answer.status_code == 206
    assert answer.content == whole[span]
    assert answer.headers["content-range"].endswith(f"/{len(whole)}")


@pytest.mark.parametrize("asked", ["bytes=9999999-", "bytes=-0", "bytes=5-4"])
async def test_a_range_outside_is_416(client: Client, link: str, asked: str) -> None:
    """A range without bytes is refused and tells the length."""
    answer = await client.get(link, headers={"range": asked})

    assert answer.status_code == 416
    assert answer.headers["content-range"].startswith("bytes */")


async def test_links_expire(client: Client, clock: Clock, link: str) -> None:
    """After its hour a link is 403 with Cloud Storage's XML."""
    clock.now += 3599
    assert (await client.get(link)).status_code == 200

    clock.now += 2
    answer = await client.get(link)

    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("application/xml")
    assert "<Code>ExpiredToken</Code>" in answer.text


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("Expires=1", "Expires=2", "SignatureDoesNotMatch"),
        ("/video/", "/image/", "SignatureDoesNotMatch"),
        ("Signature=", "Nothing=", "AccessDenied"),
    ],
)
async def test_tampering_is_noticed(client: Client, link: str, old: str, new: str, code: str) -> None:
    """A link opens one path until one time and nothing else."""
    answer = await client.get(link.replace(old, new))

    assert answer.status_code == 403
    assert f"<Code>{code}</Code>" in answer.text


async def test_a_picture_is_behind_its_link(client: Client) -> None:
    """The fifeUrl of a picture gives the same bytes as its base64."""
    image = (await client.post(IMAGES, headers=FLOW, json=seed("flow.images.text.request"))).json()[0]["image"]

    answer = await client.get(image["generatedImage"]["fifeUrl"])

    assert answer.headers["content-type"] == "image/png"
    assert opened(answer.content).tobytes() == opened(image["generatedImage"]["encodedImage"]).tobytes()
