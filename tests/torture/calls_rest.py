"""How a video is asked for, watched, fetched, listed and deleted by `/v1/videos`, and a picture by `/v1/images`."""

import asyncio
import hashlib
import json
import re
import time
from typing import Final

import httpx

from tests.torture.calls import PAUSE_SECONDS, Line, code_of, fetch, film, note, picture, refused
from tests.torture.calls_stored import look_again_at_stored
from tests.torture.wishes import Told, Wish

EVENT: Final = re.compile(r"id: (\d+)\nevent: ([\w.]+)\ndata: (.*)\n")
OVER: Final = {"completed", "failed"}


async def ask_video(line: Line, wish: Wish) -> None:
    """Do what is left to do of all that a client does with its video."""
    if not wish.job_id:
        answer = await _order(line, wish)
        if answer.status_code != 200:
            refused(wish, "", answer.text)
            return
        note(wish, Told(at=time.time(), what="accepted", job_id=answer.json()["id"]))
        if wish.kind.follows == "polls" and wish.job_id not in await _listed(line):
            note(wish, Told(at=time.time(), what="missing", job_id=wish.job_id))
    path = f"/v1/videos/{wish.job_id}"
    if wish.kind.then != "deleted early":
        follow = _watch if wish.kind.follows == "events" else _poll
        video = await follow(line, wish, path)
        if video.get("status") == "completed":
            await fetch(line, wish, wish.job_id, f"{path}/content")
        elif wish.kind.then != "deleted" or "status" not in video:
            refused(wish, wish.job_id, json.dumps(video))
    if wish.kind.then.startswith("deleted"):
        await _delete(line, wish, path)


async def _order(line: Line, wish: Wish) -> httpx.Response:
    said = {"model": wish.kind.model, "prompt": wish.prompt}
    url, headers = f"{line.url()}/v1/videos", line.headers(wish)
    note(wish, Told(at=time.time(), what="asked"))
    if wish.kind.route == "json":
        return await line.http.post(url, json=said, headers=headers)
    fields = [(name, (None, value.encode(), "text/plain")) for name, value in said.items()]
    if wish.kind.route == "edit":
        film_part = ("video", ("film.mp4", film(), "video/mp4"))
        return await line.http.post(f"{url}/edits", files=[*fields, film_part], headers=headers)
    files = [("input_reference", ("it.png", picture(wish.prompt), "image/png"))] * wish.kind.pictures
    return await line.http.post(url, files=[*fields, *files], headers=headers)


async def _poll(line: Line, _: Wish, path: str) -> dict[str, object]:
    """Return the video when it is over, or the error that came instead."""
    while True:
        answer = await line.insist("GET", path)
        found: dict[str, object] = answer.json()
        if answer.status_code != 200 or found["status"] in OVER:
            return found


async def _watch(line: Line, wish: Wish, path: str) -> dict[str, object]:
    """Read the events to their end, over as many connections as it takes."""
    found: dict[str, object] = {}
    while found.get("status") not in OVER:
        last = {"last-event-id": str(wish.events[-1][0])} if wish.events else {}
        url = f"{line.url()}{path}/events"
        try:
            async with line.http.stream("GET", url, headers=line.headers(wish) | last) as answer:
                if 400 <= answer.status_code < 500:
                    return dict(json.loads(await answer.aread()))
                if answer.status_code == 204:  # the line broke after the last event
                    return await _poll(line, wish, path)
                found = await _read_events(answer, wish) or found
        except httpx.TransportError:
            continue  # the next connection goes on where this one ended
    return found


async def _read_events(answer: httpx.Response, wish: Wish) -> dict[str, object]:
    video: dict[str, object] = {}
    text = ""
    async for piece in answer.aiter_text():
        text += piece
        *whole, text = text.split("\n\n")
        for event in whole:
            if found := EVENT.search(f"{event}\n"):
                video = json.loads(found[3])["video"]
                wish.events.append((int(found[1]), str(video["status"]), int(str(video["progress"]))))
    return video


async def _listed(line: Line) -> set[str]:
    """Return all that the client has, page by page."""
    ids: set[str] = set()
    after = ""
    while True:
        page = (await line.insist("GET", f"/v1/videos?limit=20{after}")).json()
        ids |= {video["id"] for video in page["data"]}
        if not page["has_more"]:
            return ids
        after = f"&after={page['last_id']}"


async def _delete(line: Line, wish: Wish, path: str) -> None:
    """Delete it: an answer may be lost, and 404 then says that it was done."""
    answer = await line.insist("DELETE", path)
    what = "deleted" if answer.status_code in {200, 404} else "refused"
    note(wish, Told(at=time.time(), what=what, job_id=wish.job_id, detail=code_of(answer.text)))  # type: ignore[arg-type] # one of both
    await _check_gone(line, wish)


async def _check_gone(line: Line, wish: Wish) -> None:
    path = f"/v1/videos/{wish.job_id}"
    answers = [await line.insist("GET", f"{path}{rest}") for rest in ("", "/content", "/events")]
    if wish.kind.keyed:
        answers.append(await _again(line, wish))
    is_gone = {answer.status_code for answer in answers} == {404} and wish.job_id not in await _listed(line)
    note(wish, Told(at=time.time(), what="gone" if is_gone else "there", job_id=wish.job_id))


async def _again(line: Line, wish: Wish) -> httpx.Response:
    """Send the very same order once more, until it is answered."""
    send = _order_image if wish.kind.route == "image" else _order
    while True:
        try:
            answer = await send(line, wish)
            if code_of(answer.text) not in {"storage_unavailable", "request_in_progress"}:
                return answer
        except httpx.TransportError:
            continue


async def ask_image(line: Line, wish: Wish) -> None:
    """Ask for a picture."""
    answer = await _order_image(line, wish)
    if answer.status_code == 200:
        note(wish, Told(at=time.time(), what="given", detail=_digest(answer)))
    else:
        refused(wish, "", answer.text)


async def _order_image(line: Line, wish: Wish) -> httpx.Response:
    said = {"model": "gemini-2.5-flash-image", "prompt": wish.prompt}
    note(wish, Told(at=time.time(), what="asked"))
    return await line.http.post(f"{line.url()}/v1/images/generations", json=said, headers=line.headers(wish))


def _digest(answer: httpx.Response) -> str:
    return hashlib.sha256(answer.json()["data"][0]["b64_json"].encode()).hexdigest()


async def ask_background(line: Line, wish: Wish) -> None:
    """Ask for a picture in the background, and look it up until it is over."""
    said = {"model": "gemini-2.5-flash-image", "input": wish.prompt, "background": True}
    note(wish, Told(at=time.time(), what="asked"))
    answer = await line.http.post(f"{line.url()}/v1/responses", json=said, headers=line.headers(wish))
    while answer.status_code == 200 and answer.json()["status"] in {"queued", "in_progress"}:
        await asyncio.sleep(PAUSE_SECONDS)
        answer = await line.insist("GET", f"/v1/responses/{answer.json()['id']}")
    if answer.status_code != 200 or answer.json()["status"] != "completed":
        refused(wish, "", answer.text)
    else:
        detail = hashlib.sha256(answer.json()["output"][0]["result"].encode()).hexdigest()
        note(wish, Told(at=time.time(), what="given", detail=detail))


async def look_again(line: Line, wish: Wish) -> None:
    """Ask once more for what is over: a deleted video is gone for ever, and a key has one answer."""
    if wish.kind.route in {"file", "response", "picture chat"}:
        await look_again_at_stored(line, wish)
        return
    if wish.kind.route in {"chat", "background"}:
        return
    if wish.is_deleted:
        await _check_gone(line, wish)
    elif wish.kind.keyed and any(told.what == "given" for told in wish.told):
        answer = await _again(line, wish)
        is_image, is_fine = wish.kind.route == "image", answer.status_code == 200
        job_id = answer.json()["id"] if is_fine and not is_image else ""
        detail = _digest(answer) if is_fine and is_image else code_of(answer.text)
        note(wish, Told(at=time.time(), what="again", job_id=job_id, detail=detail))
