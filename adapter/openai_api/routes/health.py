"""`GET /health` and `GET /ready`, for load balancers and service managers."""

from litestar import get

from adapter.openai_api.routes.services import Services
from adapter.openai_api.wire.health import Health


@get("/health")
async def health() -> Health:
    """Say that the process answers."""
    return Health(status="ok")


@get("/ready")
async def ready(services: Services) -> Health:
    """Say whether new work should be sent here: not while shutting down, and not if nothing can be stored."""
    await services.readiness.check()
    return Health(status="ready")
