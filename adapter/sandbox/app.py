"""The sandbox as an application."""

import time
from collections.abc import Callable
from typing import Final

from litestar import Litestar, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from adapter.sandbox import control
from adapter.sandbox.cloud import generate as cloud
from adapter.sandbox.cloud import interactions as cloud_interactions
from adapter.sandbox.cloud import tokens
from adapter.sandbox.cloud.access import CloudAccess
from adapter.sandbox.faults import Faults
from adapter.sandbox.flow import extensions, upscales
from adapter.sandbox.flow import images as flow
from adapter.sandbox.flow import videos as flow_videos
from adapter.sandbox.gemini import chat as gemini_chat
from adapter.sandbox.gemini import routes as gemini
from adapter.sandbox.google_errors import GoogleError
from adapter.sandbox.memory.ledger import Ledger
from adapter.sandbox.omni import files as omni_files
from adapter.sandbox.omni import interactions
from adapter.sandbox.omni.refusals import InteractionError
from adapter.sandbox.renderer.gallery import Gallery
from adapter.sandbox.rules import SandboxRules
from adapter.sandbox.state import Incoming, SandboxState
from adapter.sandbox.storage import routes as storage
from adapter.sandbox.storage.links import LinkRefusedError, Links

#: Bytes of a request (`gemini.md` section 1.3: 100 MB inline since 2026-01).
MAX_BODY: Final = 100 * 1024 * 1024
NOT_FOUND_PAGE: Final = """<!DOCTYPE html><html lang=en><title>Error 404 (Not Found)!!1</title>
<p><b>404.</b> <ins>That’s an error.</ins>
<p>The requested URL was not found on this server. <ins>That’s all we know.</ins></html>"""


def create_sandbox(rules: SandboxRules, *, clock: Callable[[], float] = time.time) -> Litestar:
    """Return the Gemini and Flow APIs as one application; with `rules.state` it continues from its journal.

    The clock gives Unix seconds; the state of jobs and the expiry of links follow it.
    """
    ledger = Ledger(rules)
    sandbox = SandboxState(
        rules=rules,
        clock=clock,
        ledger=ledger,
        gallery=Gallery(rules, ledger),
        links=Links(ledger.secret, rules.link_seconds, clock),
        faults=Faults(),
        cloud=CloudAccess(rules.cloud, ledger.secret, clock),
    )
    return Litestar(
        [
            *gemini.ROUTES,
            *gemini_chat.ROUTES,
            *tokens.ROUTES,
            *cloud.ROUTES,
            *cloud_interactions.ROUTES,
            *interactions.ROUTES,
            *omni_files.ROUTES,
            *flow.ROUTES,
            *flow_videos.ROUTES,
            *extensions.ROUTES,
            *upscales.ROUTES,
            *storage.ROUTES,
            *control.ROUTES,
        ],
        state=State({"sandbox": sandbox}),
        exception_handlers={
            GoogleError: _google_error,
            InteractionError: _interaction_error,
            LinkRefusedError: storage.link_refused,
            HTTPException: _http_error,
        },
        request_max_body_size=MAX_BODY,
        openapi_config=None,
        logging_config=None,
    )


def _google_error(_: Incoming, error: GoogleError) -> Response[bytes]:
    return error.response()


def _interaction_error(_: Incoming, error: InteractionError) -> Response[bytes]:
    return error.response()


def _http_error(_: Incoming, error: HTTPException) -> Response[bytes]:
    """Put litestar's own refusals into Google's form: an unknown path or method, a body that is too large."""
    if error.status_code == 413:
        return GoogleError(400, f"Request payload size exceeds the limit: {MAX_BODY} bytes.").response()
    if error.status_code in {404, 405}:
        return Response(NOT_FOUND_PAGE.encode(), status_code=404, media_type="text/html")
    return GoogleError(error.status_code, error.detail).response()
