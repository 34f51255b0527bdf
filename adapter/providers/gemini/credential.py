"""Where a key stands in a request."""

from collections.abc import Mapping
from urllib.parse import urlencode


def keyed(url: str, auth: str, key: str) -> tuple[str, Mapping[str, str]]:
    """Return the URL and the headers of a request for JSON; the key is in the URL only where the operator asked for it.

    `auth` is `header` (x-goog-api-key), `query` (?key=) or `bearer`.
    """
    json = {"content-type": "application/json"}
    match auth:
        case "query":
            return f"{url}?{urlencode({'key': key})}", json
        case "bearer":
            return url, {**json, "authorization": f"Bearer {key}"}
        case _:
            return url, {**json, "x-goog-api-key": key}
