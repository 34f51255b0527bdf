"""OpenAI's Agents SDK for Node with its hosted image tool, and with a video model: one execution per run."""

import pytest

from tests.journeys.node_programs import NodePrograms
from tests.journeys.node_results import AgentRun
from tests.journeys.server import Server
from tests.pictures import opened

PICTURES = ["gemini-3.1-flash-image", "gpt-5.2", "flow-gem-pix"]
VIDEOS = "veo-3.1-fast"


def drew_one(run: AgentRun) -> bool:
    """Say whether a run drew one picture and ended with a message."""
    [picture] = run.pictures
    kinds = ["tool_call_item", "message_output_item"]
    return opened(picture).format in {"PNG", "JPEG"} and (run.text, run.items, run.answers) == ("", kinds, 1)


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("by", ["items", "id"])
def test_each_run_draws_one_picture(
    node: NodePrograms, server: Server, prompt: str, name: str, by: str, *, stream: bool
) -> None:
    """The first and the next, whole or as a stream, with the items sent back or by the id of the response."""
    prompts = [prompt, f"{prompt} in blue"]
    runs = node.run("agents_run", list[AgentRun], model=name, prompts=prompts, by=by, stream=stream, tool=True)

    assert [drew_one(run) for run in runs] == [True, True]
    assert [run.names for run in runs] == [["tool_called", "message_output_created"] if stream else []] * 2
    assert [server.executed(each) for each in prompts] == [1, 1]


@pytest.mark.parametrize(("name", "tool"), [(PICTURES[0], True), (VIDEOS, False)])
@pytest.mark.parametrize("by", ["items", "id"])
def test_a_run_without_a_new_message_makes_nothing(
    node: NodePrograms, server: Server, prompt: str, name: str, by: str, *, tool: bool
) -> None:
    """A loop around the SDK that goes on from what it has."""
    first, again = node.run("agents_run", list[AgentRun], model=name, prompts=[prompt, None], by=by, tool=tool)

    assert first.text.startswith("[![Video preview](" if name == VIDEOS else "")
    assert again.text.startswith("What was asked for is in the answer before this one.")
    assert server.executed(prompt) == 1
