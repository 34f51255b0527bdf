"""How files are uploaded, and how pictures are asked for by `/v1/responses` and in chats: they are stored too."""

import hashlib
import re
import time
from typing import Final, Literal

import httpx

from tests.torture.calls import Line, note, picture, refused
from tests.torture.wishes import Told, Wish

LINK: Final = re.compile(r"http://[^\s()\"\\]+\.(?:png|jpg|webp)")
MODEL: Final = "gemini-2.5-flash-image"


async def ask_file(line: Line, wish: Wish) -> None:
    """Upload a picture and fetch it; delete it if the kind says so."""
    note(wish, Told(at=time.time(), what="asked"))
    answer = await line.http.post(
        f"{line.url()}/v1/files",
        data={"purpose": "vision"},
        files={"file": ("it.png", picture(wish.prompt), "image/png")},
        headers=line.headers(wish),
    )
    if answer.status_code != 200:
        refused(wish, "", answer.text)
        return
    file_id = answer.json()["id"]
    await _read_file(line, wish, file_id, "given")
    if wish.kind.then == "deleted":
        await line.insist("DELETE", f"/v1/files/{file_id}")
        note(wish, Told(at=time.time(), what="deleted"))
        await _check_gone(line, wish, file_id)


async def _read_file(line: Line, wish: Wish, file_id: str, what: Literal["given", "again"]) -> None:
    content = await line.insist("GET", f"/v1/files/{file_id}/content")
    detail = hashlib.sha256(content.content).hexdigest() if content.status_code == 200 else "no file"
    note(wish, Told(at=time.time(), what=what, job_id=file_id, detail=detail))


async def _check_gone(line: Line, wish: Wish, file_id: str) -> None:
    answers = [await line.insist("GET", f"/v1/files/{file_id}{rest}") for rest in ("", "/content")]
    is_gone = {answer.status_code for answer in answers} == {404}
    note(wish, Told(at=time.time(), what="gone" if is_gone else "there", job_id=file_id))


async def ask_response(line: Line, wish: Wish) -> None:
    """Ask for a picture that the server stores, and look it up."""
    note(wish, Told(at=time.time(), what="asked"))
    said = {"model": MODEL, "input": wish.prompt}
    answer = await line.http.post(f"{line.url()}/v1/responses", json=said, headers=line.headers(wish))
    if answer.status_code != 200 or answer.json()["status"] != "completed":
        refused(wish, "", answer.text)
        return
    response_id = answer.json()["id"]
    note(wish, Told(at=time.time(), what="given", job_id=response_id, detail=_result(answer)))
    await _read_response(line, wish, response_id)


async def _read_response(line: Line, wish: Wish, response_id: str) -> None:
    """Look a response up. One that could not be stored was given all the same, and is not shown."""
    shown = await line.insist("GET", f"/v1/responses/{response_id}")
    if shown.status_code == 200:
        note(wish, Told(at=time.time(), what="again", job_id=response_id, detail=_result(shown)))


def _result(answer: httpx.Response) -> str:
    return hashlib.sha256(answer.json()["output"][0]["result"].encode()).hexdigest()


async def ask_picture_chat(line: Line, wish: Wish) -> None:
    """Ask for a picture in a chat, and fetch it from its link."""
    note(wish, Told(at=time.time(), what="asked"))
    said = {"model": MODEL, "messages": [{"role": "user", "content": wish.prompt}]}
    answer = await line.http.post(f"{line.url()}/v1/chat/completions", json=said, headers=line.headers(wish))
    link = LINK.search(answer.text) if answer.status_code == 200 else None
    if link is None:
        refused(wish, "", answer.text)
        return
    found = await line.insist("GET", httpx.URL(link[0]).path)
    detail = hashlib.sha256(found.content).hexdigest() if found.status_code == 200 else "no file"
    note(wish, Told(at=time.time(), what="given", file=link[0].rpartition("/")[2], detail=detail))


async def look_again_at_stored(line: Line, wish: Wish) -> None:
    """Look a file or a response up once more."""
    given = next((told.job_id for told in wish.told if told.what == "given"), "")
    if wish.is_deleted:
        await _check_gone(line, wish, given)
    elif given and wish.kind.route == "file":
        await _read_file(line, wish, given, "again")
    elif given and wish.kind.route == "response":
        await _read_response(line, wish, given)
