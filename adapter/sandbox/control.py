"""The control routes of the sandbox: the ledger and the fault scripts. They need no credentials."""

from typing import get_args

import msgspec
from litestar import delete, get, post
from litestar.response.base import ASGIResponse

from adapter.sandbox.faults import Endpoint, Fault
from adapter.sandbox.memory.records import Execution
from adapter.sandbox.state import Incoming, sandbox_of


class AccountState(msgspec.Struct, frozen=True):
    """What an account may still spend."""

    project_id: str
    credits: int


class LedgerReport(msgspec.Struct, frozen=True):
    """`GET /sandbox/ledger`: executions, and the number of requests received."""

    accounts: list[AccountState]
    executions: list[Execution]
    requests: dict[str, int]


class ControlError(msgspec.Struct, frozen=True):
    """A refusal of the control API."""

    error: str


@get("/sandbox/ledger")
async def show_ledger(request: Incoming) -> ASGIResponse:
    """Show the ledger."""
    ledger = sandbox_of(request).ledger
    accounts = [AccountState(project_id, left) for project_id, left in ledger.credits.items()]
    requests = {endpoint: ledger.requests[endpoint] for endpoint in get_args(Endpoint)}
    return _json(LedgerReport(accounts, ledger.executions, requests))


@post("/sandbox/faults", status_code=200)
async def add_faults(request: Incoming) -> ASGIResponse:
    """Add fault scripts; answer with the list as it was read."""
    try:
        scripts = msgspec.json.decode(await request.body(), type=list[Fault])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _json(ControlError(f"A JSON list of faults is expected: {error}"), 400)
    sandbox_of(request).faults.add(scripts)
    return _json(scripts)


@delete("/sandbox/faults", status_code=200)
async def clear_faults(request: Incoming) -> ASGIResponse:
    """Remove all fault scripts."""
    sandbox_of(request).faults.clear()
    return _json([])


def _json(body: msgspec.Struct | list[Fault], status: int = 200) -> ASGIResponse:
    return ASGIResponse(body=msgspec.json.encode(body), status_code=status, media_type="application/json")


ROUTES = [show_ledger, add_faults, clear_faults]
