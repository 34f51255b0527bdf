"""The token service as routes, and the check of a request in a project."""

from urllib.parse import parse_qsl

import msgspec
from litestar import get, post
from litestar.response.base import ASGIResponse

from adapter.sandbox.cloud.access import RefusedGrantError
from adapter.sandbox.fault_injection import served
from adapter.sandbox.faults import ResponseMutation
from adapter.sandbox.google_errors import ErrorInfo, GoogleError
from adapter.sandbox.state import Incoming, SandboxState, base_url, entered, sandbox_of


def token_checked(request: Incoming, sandbox: SandboxState) -> None:
    """Let a request pass that has a good access token.

    Raises:
        GoogleError: 401 without one.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not sandbox.cloud.is_good(token.strip()):
        raise GoogleError(
            401,
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
            "valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
            ErrorInfo("ACCESS_TOKEN_TYPE_UNSUPPORTED", "googleapis.com", {"service": "aiplatform.googleapis.com"}),
        )


def project_checked(request: Incoming, sandbox: SandboxState, project: str) -> None:
    """Let a request pass that has a good access token and names the one project.

    Raises:
        GoogleError: 401 without a good token, 403 for another project.
    """
    token_checked(request, sandbox)
    if project != sandbox.rules.cloud.project:
        raise GoogleError(
            403,
            f"Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform.googleapis.com/projects/"
            f"{project}/locations/global/publishers/google' (or it may not exist).",
            ErrorInfo("IAM_PERMISSION_DENIED", "aiplatform.googleapis.com"),
        )
    counted_for = request.headers.get("x-goog-user-project", project)
    if counted_for != sandbox.rules.cloud.project:
        raise GoogleError(
            403,
            f"Caller does not have required permission to use project {counted_for}.",
            ErrorInfo("USER_PROJECT_DENIED", "googleapis.com", {"consumer": f"projects/{counted_for}"}),
        )


@post("/token", status_code=200)
async def exchange(request: Incoming) -> ASGIResponse:
    """Exchange a grant for an access token."""
    sandbox = entered(request, "cloud.token")
    form = dict(parse_qsl((await request.body()).decode("ascii", "replace")))

    async def work(_: ResponseMutation | None) -> ASGIResponse:
        try:
            return _json(sandbox.cloud.exchanged(form, f"{base_url(request)}/token"))
        except RefusedGrantError as error:
            return _json(error.refusal, 400)

    return await served(request, sandbox, ("cloud.token", ""), work)


@get("/sandbox/cloud/key")
async def make_key(request: Incoming) -> ASGIResponse:
    """Hand out a new key file of the service account."""
    return _json(sandbox_of(request).cloud.new_key(f"{base_url(request)}/token"))


@post("/sandbox/cloud/revoked", status_code=200)
async def revoke(request: Incoming) -> ASGIResponse:
    """Take back keys, by their ids, and refresh tokens; the list replaces the earlier one."""
    cloud = sandbox_of(request).cloud
    cloud.revoked = set(msgspec.json.decode(await request.body(), type=list[str]))
    return ASGIResponse(body=b"{}", media_type="application/json")


@post("/sandbox/cloud/end-tokens", status_code=200)
async def end_tokens(request: Incoming) -> ASGIResponse:
    """End every access token before its time."""
    sandbox_of(request).cloud.end_tokens()
    return ASGIResponse(body=b"{}", media_type="application/json")


def _json(body: msgspec.Struct, status: int = 200) -> ASGIResponse:
    return ASGIResponse(body=msgspec.json.encode(body), status_code=status, media_type="application/json")


ROUTES = [exchange, make_key, revoke, end_tokens]
