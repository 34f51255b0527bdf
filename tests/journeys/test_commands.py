"""The command line, beside a running server."""

import json
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai.types.responses.tool_param import ImageGeneration

from tests.fakes import png
from tests.journeys.server import KEY, Connect, Server, wait_until

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")

DRAW: ImageGeneration = {"type": "image_generation"}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture to upload."""
    file = tmp_path / "fox.png"
    file.write_bytes(png(64, 64))
    return file


def test_a_key_is_handed_out_and_taken_back_while_the_server_runs(server: Server, connect: Connect) -> None:
    """Create, use, list, revoke; no restart."""
    key = server.command("keys", "create", "ada").strip()
    with connect(server, api_key=key) as client:
        assert list(client.models.list())
        assert "ada" in server.command("keys", "list")
        assert key not in server.command("keys", "list")
        server.command("keys", "revoke", "ada")
        with pytest.raises(openai.AuthenticationError):
            client.models.list()


def test_a_rotated_key_sees_everything_that_the_old_one_made(server: Server, connect: Connect, picture: Path) -> None:
    """A file, a response, a video; the old key ends, and others see nothing."""
    old = server.command("keys", "create", "bob").strip()
    with connect(server, api_key=old) as client:
        file = client.files.create(file=picture, purpose="vision")
        answer = client.responses.create(model="gemini-3.1-flash-image", input="a fox", tools=[DRAW])
        video = client.videos.create(model="veo-3.1-fast", prompt=f"waves {old}")
    new = server.command("keys", "rotate", "bob").strip()

    with connect(server, api_key=new) as client:
        assert [each.id for each in client.files.list()] == [file.id]
        assert client.responses.retrieve(answer.id).id == answer.id
        assert [each.id for each in client.videos.list()] == [video.id]
    with connect(server, api_key=old) as client, pytest.raises(openai.AuthenticationError):
        client.models.list()
    with connect(server) as client, pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)


def told_of_flow(server: Server) -> dict[str, Any]:
    """Return what the command says of the account of Flow."""
    found: list[dict[str, Any]] = json.loads(server.command("accounts", "--json"))
    return next(each for each in found if each["provider"] == "flow")


def test_an_account_is_looked_at_and_switched_while_the_server_runs(
    tmp_path: Path, connect: Connect, prompt: str
) -> None:
    """Its credits are known after a video. Disabled, it finishes what it has, also over a restart."""
    server = Server(tmp_path, environ={"ADAPTER__ACCESS__ADMIN_KEYS": '["plain:sk-admin-of-all"]'})
    server.start()
    with connect(server) as client:
        video = client.videos.create(model="veo-3.1-fast", prompt=prompt)
        server.wait_for_line("job.submitted")
        server.command("accounts", "disable", "flow/sandbox")
        server.wait_for_line("credential.switched")
        with pytest.raises(openai.InternalServerError, match="No Flow account takes new work"):
            client.videos.create(model="veo-3.1-fast", prompt=f"{prompt} again")
        assert client.videos.poll(video.id, poll_interval_ms=100).status == "completed"
    wait_until(lambda: told_of_flow(server)["calls"] == 0, "a call is still under way")
    flow = told_of_flow(server)
    with connect(server, api_key="sk-admin-of-all") as client:
        shown = client.get("/organization/accounts", cast_to=httpx.Response).json()
    with connect(server) as client, pytest.raises(openai.PermissionDeniedError):
        client.get("/organization/accounts", cast_to=httpx.Response)
    assert server.stop() == 0
    server.start()
    with connect(server) as client:
        with pytest.raises(openai.InternalServerError, match="No Flow account takes new work"):
            client.videos.create(model="veo-3.1-fast", prompt=f"{prompt} once more")
        server.command("accounts", "enable", "flow/sandbox")
        wait_until(lambda: server.log.count("credential.switched") == 3, "it was never enabled")
        assert client.videos.create(model="veo-3.1-fast", prompt=f"{prompt} at last").status != "failed"
        executed = [server.executed(f"{prompt}{more}") for more in ("", " again", " once more")]
    assert server.stop() == 0

    assert {"object": "organization.account", **flow} in shown["data"]
    assert (flow["name"], flow["enabled"], flow["health"], flow["processes"]) == ("sandbox", False, "disabled", 1)
    assert flow["credits"] > 0
    assert flow["tier"].startswith("PAYGATE_TIER_")
    assert executed == [1, 0, 0]


def test_jobs_can_be_looked_at(server: Server, client: openai.OpenAI, prompt: str) -> None:
    """The operator finds a job by the id that its answer carried."""
    answer = client.chat.completions.with_raw_response.create(
        model="veo-3.1-fast", messages=[{"role": "user", "content": prompt}]
    )
    job_id = answer.headers["x-video-id"]

    assert f"{job_id}  completed  100 %  veo-3.1-fast" in server.command("jobs", "list")
    assert (job_id, "video", "completed", 100, "veo-3.1-fast", None) in [
        tuple(job[name] for name in ("id", "kind", "state", "progress", "model", "error"))
        for job in json.loads(server.command("jobs", "list", "--json"))
    ]
    assert prompt in server.command("jobs", "show", job_id)
    assert "There is no job 'video_x'" in server.command("jobs", "show", "video_x")


def test_models_are_listed(server: Server) -> None:
    """By name, kind, provider and price."""
    lines = {line.split()[0]: line.split()[1:] for line in server.command("models").splitlines()}

    assert lines["veo-3.1-fast-portrait"][:6] == ["video", "flow", "20", "credits", "a", "clip,"]
    assert lines["flow-gem-pix"] == ["image", "flow", "price", "unknown"]


def test_a_configuration_is_checked(server: Server) -> None:
    """Each part in a line."""
    said = server.command("check")

    lines = [line for line in said.splitlines() if not line.startswith("warning: models: ")]
    assert [line.split()[0] for line in lines] == [
        *["secret"] * 4,
        "database",
        "media",
        "spool",
        "folder",
        "port",
        "links",
        "models",
    ]
    assert KEY not in said
