"""How a video is asked for in a chat, and what all clients do alike."""

import asyncio
import base64
import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from functools import cache
from io import BytesIO
from typing import Literal

import httpx
from PIL import Image

from adapter.sandbox.renderer.clip import ClipOrder, encode_mp4
from tests.journeys.server import KEY
from tests.torture.wishes import Told, Wish

LINK = re.compile(r"http://[^\s()\"\\]+\.mp4")
#: Codes of errors after which a client asks again, because nothing was taken.
AGAIN = {"storage_unavailable", "server_draining", "request_in_progress", "server_busy"}
PAUSE_SECONDS = 0.05


class Line:
    """The way to whoever is there."""

    def __init__(self, http: httpx.AsyncClient, url: Callable[[], str]) -> None:
        self.http = http
        self.url = url

    def headers(self, wish: Wish) -> dict[str, str]:
        """Return what a client says of itself and, as OpenAI's SDKs do beside chats, of its attempt."""
        said = {"authorization": f"Bearer {KEY}"} | ({"idempotency-key": wish.prompt} if wish.kind.keyed else {})
        return said if wish.kind.route == "chat" else said | {"x-stainless-retry-count": str(wish.failures)}

    async def insist(self, method: str, path: str) -> httpx.Response:
        """Return the answer of a request that may be repeated, once it is there and is not ours to be sorry for."""
        while True:
            try:
                answer = await self.http.request(
                    method, f"{self.url()}{path}", headers={"authorization": f"Bearer {KEY}"}
                )
                if answer.status_code < 500:
                    return answer
            except httpx.TransportError:
                pass  # it is asked again
            await asyncio.sleep(PAUSE_SECONDS)


Ask = Callable[[Line, Wish], Awaitable[None]]


def note(wish: Wish, told: Told) -> None:
    """Write down what a client was told."""
    wish.told.append(told)


def picture(prompt: str) -> bytes:
    """Return a small picture that no other wish has."""
    colour = hashlib.sha256(prompt.encode()).digest()
    file = BytesIO()
    Image.new("RGB", (32, 18), (colour[0], colour[1], colour[2])).save(file, "PNG")
    return file.getvalue()


@cache
def film() -> bytes:
    """Return a film of four seconds, in the smallest form that a model has. All edits have the same."""
    return encode_mp4(ClipOrder(prompt="waves", seed=1, width=640, height=360, seconds=4.0))


def code_of(text: str) -> str | None:
    """Return the code of an error."""
    found = re.search(r'"code": ?"(\w+)"', text)
    return found[1] if found else None


def refused(wish: Wish, job_id: str, text: str) -> None:
    """Write an error down."""
    code = code_of(text)
    what: Literal["later", "refused"] = "later" if code in AGAIN else "refused"
    note(wish, Told(at=time.time(), what=what, job_id=job_id, detail=code))


async def ask_chat(line: Line, wish: Wish) -> None:
    """Ask for a video in a chat, and fetch it."""
    body = {"model": wish.kind.model, "stream": True, "messages": [{"role": "user", "content": _content(wish)}]}
    url = f"{line.url()}/v1/chat/completions"
    async with line.http.stream("POST", url, json=body, headers=line.headers(wish)) as answer:
        note(wish, Told(at=time.time(), what="asked"))
        job_id = answer.headers.get("x-video-id", "")
        if answer.status_code == 200:
            note(wish, Told(at=time.time(), what="accepted" if job_id else "opened", job_id=job_id))
        text = (await answer.aread()).decode()
    if link := LINK.search(text):
        await fetch(line, wish, job_id, httpx.URL(link[0]).path)
    elif answer.status_code == 200 and "data: [DONE]" not in text:
        raise httpx.ReadError("it was cut")
    else:
        refused(wish, job_id, text)


def _content(wish: Wish) -> object:
    link = f"data:image/png;base64,{base64.b64encode(picture(wish.prompt)).decode()}"
    parts = [{"type": "image_url", "image_url": {"url": link}}] * wish.kind.pictures
    return [{"type": "text", "text": wish.prompt}, *parts] if parts else wish.prompt


async def fetch(line: Line, wish: Wish, job_id: str, path: str) -> None:
    """Fetch the video; its link outlives the server that gave it, so whoever is there is asked."""
    found = await line.insist("GET", path)
    digest = hashlib.sha256(found.content).hexdigest() if found.status_code == 200 else "no file"
    note(wish, Told(at=time.time(), what="given", job_id=job_id, file=path.rpartition("/")[2], detail=digest))
