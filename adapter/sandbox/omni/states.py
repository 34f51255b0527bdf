"""An interaction as it stands: a function of the time since it was taken.

Magic words in a prompt: `[fails]` ends as `failed` with an error of the model, `[blocked]` as `failed` for its content,
`[empty]` as `completed` without a video and without output tokens, as a refusal by region shows.
"""

from typing import Final, Literal

from adapter.sandbox.memory.records import InteractionEnded, Medium, Operation
from adapter.sandbox.omni.refusals import Refusal
from adapter.sandbox.state import SandboxState

Status = Literal["in_progress", "completed", "failed", "cancelled"]

#: An interaction's name is this and the id of its file.
PREFIX: Final = "v1_"
FAILS: Final = "[fails]"
BLOCKED: Final = "[blocked]"
EMPTY: Final = "[empty]"


def finished_at(sandbox: SandboxState, medium: Medium) -> float:
    """Return when the video of a file was or will be finished, in Unix seconds."""
    found = sandbox.ledger.interaction(f"{PREFIX}{medium.id}")
    at = found[0].at if found else sandbox.clock()
    return at + sandbox.rules.pending_seconds + sandbox.rules.active_seconds


def status_of(sandbox: SandboxState, operation: Operation, ended: InteractionEnded | None) -> Status:
    """Return how an interaction stands."""
    if ended is not None:
        return "cancelled"
    medium = sandbox.ledger.clip(operation)
    if sandbox.clock() < finished_at(sandbox, medium):
        return "in_progress"
    return "failed" if errors_of(medium) else "completed"


def errors_of(medium: Medium) -> tuple[Refusal, ...]:
    """Return why a video will not come."""
    if FAILS in medium.prompt:
        return (Refusal("malformed_tool_call", "The model could not finish the generation."),)
    if BLOCKED in medium.prompt:
        return (Refusal("prohibited_content", "The generated video was blocked."),)
    return ()
