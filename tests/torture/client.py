"""Clients that want their video: each asks until it has an answer, and writes down what it was told."""

import asyncio
import base64
import hashlib
import re
import time
from collections.abc import Callable
from io import BytesIO
from typing import Literal

import httpx
from PIL import Image

from tests.journeys.running import KEY
from tests.torture.wishes import Told, Wish

LINK = re.compile(r"http://[^\s()\"\\]+\.mp4")
#: Codes of errors after which a client asks again, because nothing was taken.
AGAIN = {"storage_unavailable", "server_draining"}
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.05


def picture(prompt: str) -> str:
    """Return a small picture that no other wish has, as a link that holds it."""
    colour = hashlib.sha256(prompt.encode()).digest()
    file = BytesIO()
    Image.new("RGB", (32, 18), (colour[0], colour[1], colour[2])).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


class Clients:
    """All clients of a trial."""

    def __init__(self, url: Callable[[], str]) -> None:
        #: Gives the address of a server; each time perhaps another one's.
        self._url = url
        self._http = httpx.AsyncClient(timeout=PATIENCE_SECONDS, limits=httpx.Limits(max_keepalive_connections=0))
        self._tasks: set[asyncio.Task[None]] = set()
        self.wishes: list[Wish] = []

    def send(self, wish: Wish) -> None:
        """Send a client on its way."""
        self.wishes.append(wish)
        self._tasks.add(asyncio.create_task(self._insist(wish)))

    async def finish(self, seconds: float) -> None:
        """Wait until every client has its answer, or for so long."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    async def close(self) -> None:
        """Send everybody home.

        Raises:
            Exception: a client broke by a mistake of its own.
        """
        for task in self._tasks:
            task.cancel()
        for each in await asyncio.gather(*self._tasks, return_exceptions=True):
            if each is not None and not isinstance(each, asyncio.CancelledError):
                raise each
        await self._http.aclose()

    async def _insist(self, wish: Wish) -> None:
        while not wish.is_over:
            try:
                await self._ask(wish)
            except httpx.ConnectError:
                pass  # nobody is there at the moment
            except httpx.TransportError:
                job_id = wish.told[-1].job_id if wish.told else ""
                self._note(wish, Told(at=time.time(), what="unknown", job_id=job_id))
            await asyncio.sleep(PAUSE_SECONDS)

    async def _ask(self, wish: Wish) -> None:
        body = {"model": "veo-3.1-fast", "stream": True, "messages": [{"role": "user", "content": self._content(wish)}]}
        url = f"{self._url()}/v1/chat/completions"
        async with self._http.stream("POST", url, json=body, headers={"authorization": f"Bearer {KEY}"}) as answer:
            self._note(wish, Told(at=time.time(), what="asked"))
            job_id = answer.headers.get("x-video-id", "")
            if answer.status_code == 200:
                self._note(wish, Told(at=time.time(), what="accepted", job_id=job_id))
            text = (await answer.aread()).decode()
        if link := LINK.search(text):
            await self._fetch(wish, job_id, link[0])
        elif answer.status_code == 200 and "data: [DONE]" not in text:
            raise httpx.ReadError("it was cut")
        else:
            self._refused(wish, job_id, text)

    def _content(self, wish: Wish) -> object:
        parts = [{"type": "image_url", "image_url": {"url": picture(wish.prompt)}}] * wish.kind.pictures
        return [{"type": "text", "text": wish.prompt}, *parts] if parts else wish.prompt

    async def _fetch(self, wish: Wish, job_id: str, link: str) -> None:
        """Fetch the video; its link outlives the server that gave it, so whoever is there is asked."""
        while True:
            try:
                found = await self._http.get(f"{self._url()}{httpx.URL(link).path}")
            except httpx.TransportError:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if found.status_code < 500:
                digest = hashlib.sha256(found.content).hexdigest() if found.status_code == 200 else "no file"
                self._note(wish, Told(at=time.time(), what="given", job_id=job_id, detail=digest))
                return
            await asyncio.sleep(PAUSE_SECONDS)

    def _refused(self, wish: Wish, job_id: str, text: str) -> None:
        code = re.search(r'"code": ?"(\w+)"', text)
        word = code[1] if code else None
        what: Literal["later", "refused"] = "later" if word in AGAIN else "refused"
        self._note(wish, Told(at=time.time(), what=what, job_id=job_id, detail=word))

    def _note(self, wish: Wish, told: Told) -> None:
        wish.told.append(told)
