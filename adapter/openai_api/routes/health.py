"""`GET /health` and `GET /ready`, for load balancers and service managers."""

from litestar import get

from adapter.openai_api.routes.services import Services


@get("/health")
async def health() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@get("/ready")
async def ready(services: Services) -> dict[str, str]:
    """Say whether new work should be sent here: not while shutting down, and not if nothing can be stored."""
    await services.readiness.check()
    return {"status": "ready"}
