"""What a request's headers say about being one of several attempts."""

import hashlib
import re
from collections.abc import Mapping

from adapter.domain.executions import RetryInfo
from adapter.domain.numbers import whole_number
from adapter.errors import InvalidRequest

KEY = "idempotency-key"
#: OpenAI's SDKs count their retries here, from 0 (`openai.md` section 1).
COUNT = "x-stainless-retry-count"
#: A higher count is none.
MOST_RETRIES = 999

_PREFIX = re.compile(r"^(/v1)*(?=/)")
_KEY = re.compile(r"[\x20-\x7e]{1,255}")


def read_retry_info(headers: Mapping[str, str]) -> RetryInfo:
    """Return it; a count that is none counts as none.

    Raises:
        InvalidRequest: a key that is empty, too long, or has other characters than printable ASCII.
    """
    key, count = headers.get(KEY), headers.get(COUNT)
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidRequest(
            "An Idempotency-Key has 1 to 255 printable ASCII characters.", code="idempotency_key_invalid"
        )
    return RetryInfo(
        key=None if key is None else hashlib.sha256(key.encode()).hexdigest(),
        count=0 if count is None else whole_number(count, most=MOST_RETRIES) or 0,
    )


def read_route(path: str) -> str:
    """Return the path of a request without the prefixes under which we answer alike."""
    return _PREFIX.sub("", path).rstrip("/")
