"""Scripted misfortune happens to the right requests, as often as it should, on a real wire."""

from collections.abc import AsyncIterator
from typing import TypeAlias

import httpx
import msgspec
import pytest

from adapter.sandbox.faults import Fault, Faults
from adapter.sandbox.server import RunningSandbox, running_sandbox
from tests.sandbox.helpers import (
    FLOW,
    RULES,
    VIDEO,
    Client,
    Clock,
    Json,
    faulty,
    finished,
    ledger,
    reason,
    seed,
    submitted,
)
from tests.support import WITHOUT_TLS

Wire: TypeAlias = httpx.AsyncClient


@pytest.fixture
async def wire(loopback: RunningSandbox) -> AsyncIterator[Wire]:
    """A connection to the sandbox on loopback; its faults are cleared afterwards."""
    async with httpx.AsyncClient(verify=WITHOUT_TLS, base_url=loopback.base_url, headers=FLOW) as client:
        yield client
        await client.delete("/sandbox/faults")


async def submit(client: Wire, prompt: str = "a girl dances") -> httpx.Response:
    """Submit one more video."""
    body = seed("flow.video.text.portrait.request")
    body["requests"][0]["textInput"]["prompt"] = prompt
    return await client.post(f"{VIDEO}Text", json=body)


async def script(client: Wire, **fault: Json) -> None:
    """Script one fault at the submit desk."""
    answer = await client.post("/sandbox/faults", json=[{"on": "flow.submit", **fault}])
    assert answer.status_code == 200


async def executions(client: Wire) -> int:
    """Count what was carried out since the sandbox started."""
    return len((await client.get("/sandbox/ledger")).json()["executions"])


@pytest.mark.parametrize(("after", "carried_out"), [(False, 0), (True, 1)])
@pytest.mark.parametrize("do", ["drop", "garbage", "html", "error"])
async def test_a_fault_comes_before_or_after_the_execution(wire: Wire, do: str, after: bool, carried_out: int) -> None:
    """With `after` the job exists and is charged although the client never learns of it."""
    before = await executions(wire)
    await script(wire, do=do, after=after)

    try:
        answer = await submit(wire)
    except httpx.RemoteProtocolError:
        answer = None

    assert (answer is None) == (do == "drop")
    assert await executions(wire) - before == carried_out


async def test_a_truncated_answer_breaks_the_connection(wire: Wire) -> None:
    """The head promises more bytes than come; the work was carried out."""
    before = await executions(wire)
    await script(wire, do="truncate")

    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        await submit(wire)

    assert await executions(wire) == before + 1


async def test_a_short_answer_is_broken_json(wire: Wire) -> None:
    """The HTTP is whole, the JSON ends in the middle."""
    await script(wire, do="short")

    answer = await submit(wire)

    assert answer.status_code == 200
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(answer.content)


async def test_garbage_is_not_utf8(wire: Wire) -> None:
    """A 200 whose bytes are no text."""
    await script(wire, do="garbage")

    answer = await submit(wire)

    assert answer.status_code == 200
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode()


async def test_a_hanging_request_ends_when_the_client_leaves(wire: Wire) -> None:
    """Nothing is answered; the next request is served."""
    await script(wire, do="hang")

    with pytest.raises(httpx.ReadTimeout):
        await wire.post(f"{VIDEO}Text", json=seed("flow.video.text.portrait.request"), timeout=0.2)

    assert (await submit(wire)).status_code == 200


async def test_a_delayed_answer_comes(wire: Wire) -> None:
    """The answer is the real one, later."""
    await script(wire, do="delay", seconds=0.2)

    answer = await submit(wire)

    assert answer.elapsed.total_seconds() >= 0.2
    assert answer.json()["operations"]


async def test_a_download_can_be_cut(loopback: RunningSandbox) -> None:
    """The video ends before its Content-Length."""
    rules = msgspec.structs.replace(RULES, pending_seconds=0.0, active_seconds=0.0)
    with running_sandbox(rules) as sandbox:
        async with httpx.AsyncClient(verify=WITHOUT_TLS, base_url=sandbox.base_url, headers=FLOW) as client:
            operations = (await submit(client)).json()["operations"]
            path = "/v1/video:batchCheckAsyncVideoGenerationStatus"
            await client.post("/sandbox/faults", json=[{"on": "flow.poll", "do": "nested"}])
            done = (await client.post(path, json={"operations": operations})).json()["operations"][0]
            await client.post("/sandbox/faults", json=[{"on": "media.get", "do": "truncate"}])

            with pytest.raises(httpx.RemoteProtocolError):
                await client.get(done["operation"]["metadata"]["video"]["fifeUrl"])


async def test_an_error_has_googles_body(client: Client) -> None:
    """Status, reason, message and the delay of a retry are as the script says."""
    fault = {"on": "flow.submit", "do": "error", "status": 429, "reason": "PUBLIC_ERROR_HIGH_TRAFFIC"}
    await faulty(client, fault | {"retry_seconds": 34.4, "message": "Slow down."})

    answer = await client.post(f"{VIDEO}Text", headers=FLOW, json=seed("flow.video.text.portrait.request"))

    error = answer.json()["error"]
    assert (error["code"], error["status"], error["message"]) == (429, "RESOURCE_EXHAUSTED", "Slow down.")
    assert reason(answer) == "PUBLIC_ERROR_HIGH_TRAFFIC"
    assert error["details"][1]["retryDelay"] == "34.4s"


async def test_polls_and_downloads_match_the_jobs_prompt(client: Client, clock: Clock) -> None:
    """A fault may be aimed at one job by its prompt, at every desk that knows the job."""
    cat, dog = await submitted(client, "a cat"), await submitted(client, "a dog")
    await faulty(client, {"on": "media.get", "do": "error", "prompt": "cat", "times": 2})

    links = [(await finished(client, clock, job))["video"]["fifeUrl"] for job in (cat, dog)]
    codes = [(await client.get(link)).status_code for link in links]

    assert codes == [503, 200]


def test_the_first_fault_with_times_left_wins() -> None:
    """Skips are counted, then times; a spent fault makes room for the next one."""
    faults = Faults()
    faults.add([Fault(on="flow.poll", do="html", skip=1, times=2), Fault(on="flow.poll", do="drop", times=2)])

    met = [faults.take("flow.poll", "") for _ in range(5)]

    assert [fault and fault.do for fault in met] == ["drop", "html", "html", "drop", None]


def test_a_fault_keeps_to_its_desk_and_prompt() -> None:
    """Another desk or another prompt is not met, and does not count."""
    faults = Faults()
    faults.add([Fault(on="flow.submit", do="drop", prompt="cat")])

    assert faults.take("flow.poll", "a cat") is None
    assert faults.take("flow.submit", "a dog") is None
    assert faults.take("flow.submit", "a cat")


async def test_faults_can_be_cleared(client: Client) -> None:
    """DELETE leaves no script behind."""
    await faulty(client, {"on": "flow.submit", "do": "error"})
    await client.delete("/sandbox/faults")

    assert await submitted(client)


@pytest.mark.parametrize(
    "body", [b"{", b"{}", b'[{"on": "flow.submi", "do": "drop"}]', b'[{"on": "flow.poll", "do": "drop", "tmes": 2}]']
)
async def test_a_wrong_script_is_told_clearly(client: Client, body: bytes) -> None:
    """A mistake in a script is 400 that names it, not a fault that never happens."""
    answer = await client.post("/sandbox/faults", content=body)

    assert answer.status_code == 400
    assert "list of faults" in answer.json()["error"]
    assert (await ledger(client))["executions"] == []
