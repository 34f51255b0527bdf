"""The sandbox on loopback starts, says where it is, and stops."""

import threading

import httpx
import msgspec
import pytest

from adapter.sandbox.app import create_sandbox
from adapter.sandbox.rules import SandboxRules
from adapter.sandbox.server import RunningSandbox, running_sandbox, server_config
from tests.sandbox.helpers import KEY, RULES


def test_a_free_port_is_taken(loopback: RunningSandbox) -> None:
    """Port 0 becomes a real one in the base URL, without a slash at the end."""
    assert loopback.base_url.startswith("http://127.0.0.1:")
    assert not loopback.base_url.endswith((":0", "/"))


def test_a_port_in_use_is_named(loopback: RunningSandbox) -> None:
    """The exception says which address could not be had."""
    port = int(loopback.base_url.rpartition(":")[2])
    rules = msgspec.structs.replace(RULES, port=port)

    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"), running_sandbox(rules):
        pass


def test_it_stops_with_its_block() -> None:
    """Afterwards nobody listens and no thread is left."""
    with running_sandbox(RULES) as sandbox:
        assert httpx.get(f"{sandbox.base_url}/v1beta/models", headers=KEY).status_code == 200
        threads = {thread.name for thread in threading.enumerate()}

    assert "sandbox" in threads
    with pytest.raises(httpx.ConnectError):
        httpx.get(sandbox.base_url)


def test_clients_close_idle_connections_first() -> None:
    """A request that meets a connection in the moment of its closing is lost; Go's client waits longest, for 90 s."""
    assert server_config(create_sandbox(RULES)).timeout_keep_alive > 90


@pytest.mark.parametrize(
    "section",
    [{"prot": 8001}, {"port": 70_000}, {"clip_seconds": 0}, {"clip_long_edge": 10}, {"accounts": [{"token": ""}]}],
)
def test_wrong_rules_are_refused(section: dict[str, object]) -> None:
    """Unknown keys and values out of range fail when the configuration is read."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(section, SandboxRules)
