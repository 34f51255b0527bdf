"""Names of routes, for metrics: few, and the same under all addresses."""

import pytest

from adapter.app import create_app
from adapter.openai_api.routes.route_names import RouteNames
from adapter.wiring import ADDRESSES
from tests.support import CONFIG, catalogue

pytestmark = pytest.mark.filterwarnings("ignore:.*Inferred:litestar.exceptions.LitestarDeprecationWarning")


@pytest.fixture
def names() -> RouteNames:
    """The names of all routes."""
    return RouteNames(create_app(CONFIG, catalogue()).routes, ADDRESSES)


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/v1/images/generations", "/v1/images/generations"),
        ("POST", "/images/generations", "/v1/images/generations"),
        ("POST", "/v1/v1/images/generations", "/v1/images/generations"),
        ("POST", "/openai/deployments/my/model/images/edits", "/v1/images/edits"),
        ("GET", "/videos/video_0123", "/v1/videos/{video_id}"),
        ("GET", "/v1/videos/video_0123/content", "/v1/videos/{video_id}/content"),
        ("POST", "/v1/videos/edits", "/v1/videos/edits"),
        ("GET", "/v1/models/vendor/gemini-2.5-flash-image", "/v1/models/{name}"),
        ("POST", "/v1beta/models/gemini-2.5-flash-image:generateContent", "/v1beta/models/{name}"),
        ("POST", "/v1/models/gemini-2.5-flash-image:generateContent", "/v1beta/models/{name}"),
        ("GET", "/media/0123.png", "/media/{name}"),
        ("GET", "/health", "/health"),
        ("GET", "/v1/nothing", "other"),
        ("GET", "/v1/health", "other"),
        ("GET", "/wp-login.php", "other"),
        ("GET", "", "other"),
        ("GET", "/v1/videos/a/b/c/d", "other"),
    ],
)
def test_a_path_has_the_name_of_its_route(names: RouteNames, method: str, path: str, name: str) -> None:
    """Ids are no part of it, and neither are a doubled or missing version and Azure's prefix."""
    assert names.name(method, path) == name
