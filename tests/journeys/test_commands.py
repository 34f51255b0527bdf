"""The command line, beside a running server."""

import openai
import pytest

from tests.journeys.running import KEY, Connect, Server


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


def test_jobs_can_be_looked_at(server: Server, client: openai.OpenAI, prompt: str) -> None:
    """The operator finds a job by the id that its answer carried."""
    answer = client.chat.completions.with_raw_response.create(
        model="veo-3.1-fast", messages=[{"role": "user", "content": prompt}]
    )
    job_id = answer.headers["x-video-id"]

    assert f"{job_id}  completed  100 %  veo-3.1-fast" in server.command("jobs", "list")
    assert prompt in server.command("jobs", "show", job_id)
    assert "There is no job 'video_x'" in server.command("jobs", "show", "video_x")


def test_models_are_listed(server: Server) -> None:
    """By name, kind and provider."""
    assert "veo-3.1-fast-portrait" in server.command("models")


def test_a_configuration_is_checked(server: Server) -> None:
    """Each part in a line."""
    said = server.command("check")

    assert [line.split()[0] for line in said.splitlines()] == [
        *["secret"] * 4,
        "database",
        "media",
        "spool",
        "links",
        "models",
    ]
    assert KEY not in said
