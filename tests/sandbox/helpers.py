"""What the sandbox's tests share: a clock that stands still, credentials, seeds, pictures."""

import base64
import io
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from httpx import Response
from litestar import Litestar
from litestar.testing import AsyncTestClient
from PIL import Image

from adapter.sandbox.rules import SandboxAccount, SandboxRules

Json: TypeAlias = Any
Client: TypeAlias = AsyncTestClient[Litestar]

SEEDS = Path(__file__).parents[1] / "golden" / "seeds"
KEY = {"x-goog-api-key": "AIza-sandbox"}
FLOW = {"authorization": "Bearer sandbox-flow-token"}
OTHER = {"authorization": "Bearer other-token"}
PROJECT = "02ac868b-925f-40c1-9187-a688bd03a84d"
OTHER_PROJECT = "22f06d1e-1d4d-4157-9b19-1d7a49d81a6c"  # the one of seed 004
IMAGES = f"/v1/projects/{PROJECT}/flowMedia:batchGenerateImages"
VIDEO = "/v1/video:batchAsyncGenerateVideo"
STATUS = "/v1/video:batchCheckAsyncVideoGenerationStatus"

RULES = SandboxRules(
    port=0,
    accounts=(
        SandboxAccount(token="sandbox-flow-token", project_id=PROJECT, credits=680),
        SandboxAccount(token="other-token", project_id=OTHER_PROJECT, credits=30),
    ),
    clip_seconds=0.5,
    clip_long_edge=320,
)


class Clock:
    """A clock that starts on 2026-11-20 and moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_795_132_800.0

    def __call__(self) -> float:
        """Return Unix seconds."""
        return self.now


def seed(name: str) -> Json:
    """Return a body of the seeds, word for word."""
    return msgspec.json.decode((SEEDS / f"{name}.json").read_bytes())


def picture(kind: str = "PNG", size: tuple[int, int] = (90, 160)) -> str:
    """Return a small picture file in base64."""
    file = io.BytesIO()
    Image.new("RGB", size, (200, 30, 60)).save(file, kind)
    return base64.b64encode(file.getvalue()).decode()


def opened(data: bytes | str) -> Image.Image:
    """Return the picture of a file, given as bytes or base64."""
    return Image.open(io.BytesIO(base64.b64decode(data) if isinstance(data, str) else data))


def shape(value: Json) -> Json:
    """Return the names in a JSON value without its contents; a list has the shape of its first item."""
    match value:
        case dict():
            return {name: shape(inner) for name, inner in value.items()}
        case [first, *_]:
            return [shape(first)]
        case _:
            return None


def reason(answer: Response) -> str:
    """Return the ErrorInfo reason of a refusal."""
    return str(answer.json()["error"]["details"][0]["reason"])


async def uploaded(client: Client, headers: dict[str, str] = FLOW) -> str:
    """Upload a picture and return its name."""
    body = seed("flow.upload.request")
    body["imageInput"]["rawImageBytes"] = picture("JPEG")
    answer = await client.post("/v1:uploadUserImage", headers=headers, json=body)
    return str(answer.json()["mediaGenerationId"]["mediaGenerationId"])


async def submitted(client: Client, prompt: str = "a girl dances", *, portrait: bool = True) -> Json:
    """Submit one video and return its operations."""
    body = seed(f"flow.video.text.{'portrait' if portrait else 'landscape'}.request")
    body["requests"][0]["textInput"]["prompt"] = prompt
    answer = await client.post(f"{VIDEO}Text", headers=FLOW, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["operations"]


async def status(client: Client, operations: Json, headers: dict[str, str] = FLOW) -> Response:
    """Ask the status desk."""
    return await client.post(STATUS, headers=headers, json={"operations": operations})


async def finished(client: Client, clock: Clock, operations: Json) -> Json:
    """Let a job's time come and return its metadata, wherever it stands."""
    clock.now += 60
    job = (await status(client, operations)).json()["operations"][0]
    return job["operation"].get("metadata") or job["metadata"]


async def faulty(client: Client, *faults: Json) -> None:
    """Hand fault scripts to the sandbox."""
    answer = await client.post("/sandbox/faults", json=list(faults))
    assert answer.status_code == 200, answer.text


async def ledger(client: Client) -> Json:
    """Return the judge's books."""
    return (await client.get("/sandbox/ledger")).json()
