"""A client that comes back as long as it is told to, as OpenAI's SDKs do."""

from collections.abc import Mapping

import httpx

from tests.journeys.server import KEY, Server

TRIES = 6
SECONDS = 30.0
KEYED = {"authorization": f"Bearer {KEY}"}


def ask(http: httpx.Client, server: Server, path: str, body: Mapping[str, object]) -> list[httpx.Response]:
    """Send a request, and its retries with their count, and return every answer."""
    answers: list[httpx.Response] = []
    while len(answers) < TRIES and (not answers or invites(answers[-1])):
        headers = {**KEYED, "x-stainless-retry-count": str(len(answers))}
        answers.append(http.post(f"{server.url}{path}", json=body, headers=headers, timeout=SECONDS))
    return answers


def invites(answer: httpx.Response) -> bool:
    """Return whether an SDK would send its request again."""
    return answer.status_code >= 500 and answer.headers.get("x-should-retry") != "false"
