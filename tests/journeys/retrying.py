"""A client that comes back as long as it is told to, as OpenAI's SDKs do."""

from collections.abc import Mapping

import httpx

from tests.journeys.server import KEY, Server
from tests.support import WITHOUT_TLS

TRIES = 6
SECONDS = 30.0
KEYED = {"authorization": f"Bearer {KEY}"}


def ask(server: Server, path: str, body: Mapping[str, object]) -> list[httpx.Response]:
    """Send a request, and its retries with their count, and return every answer."""
    answers: list[httpx.Response] = []
    with httpx.Client(verify=WITHOUT_TLS, timeout=SECONDS, headers=KEYED) as client:
        while len(answers) < TRIES and (not answers or invites(answers[-1])):
            headers = {"x-stainless-retry-count": str(len(answers))}
            answers.append(client.post(f"{server.url}{path}", json=body, headers=headers))
    return answers


def invites(answer: httpx.Response) -> bool:
    """Return whether an SDK would send its request again."""
    return answer.status_code >= 500 and answer.headers.get("x-should-retry") != "false"
