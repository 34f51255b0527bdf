"""Signed links, the stand-in for storage.googleapis.com (seed 002: `?GoogleAccessId=...`, note 6: they expire)."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

import pybase64

ACCESS_ID: Final = "labs-ai-sandbox-videoserver-prod@system.gserviceaccount.com"


class LinkRefusedError(Exception):
    """A link that opens nothing: `code` and `message` are the words in Cloud Storage's XML."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Links:
    """Links in the manner of Cloud Storage's V2 signatures, good for some seconds of a clock of Unix seconds."""

    def __init__(self, secret: str, seconds: float, clock: Callable[[], float]) -> None:
        self._secret = secret.encode()
        self._seconds = seconds
        self._clock = clock

    def signed(self, base: str, path: str) -> str:
        """Return `base` (scheme, host, port) + `path` with the query that opens it for a while."""
        expires = str(int(self._clock() + self._seconds))
        query = {"GoogleAccessId": ACCESS_ID, "Expires": expires, "Signature": self._signature(path, expires)}
        return f"{base}{path}?{urlencode(query)}"

    def check(self, path: str, expires: str, signature: str) -> None:
        """Refuse a link whose signature does not fit the path, or whose time has come.

        Raises:
            LinkRefusedError: AccessDenied without a signature, SignatureDoesNotMatch, ExpiredToken.
        """
        if not expires or not signature:
            raise LinkRefusedError("AccessDenied", "Anonymous caller does not have storage.objects.get access.")
        if not hmac.compare_digest(self._signature(path, expires).encode(), signature.encode()):
            raise LinkRefusedError(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided.",
            )
        if self._clock() >= int(expires):
            raise LinkRefusedError("ExpiredToken", "The provided token has expired.")

    def _signature(self, path: str, expires: str) -> str:
        text = f"GET\n\n\n{expires}\n{path}".encode()
        return pybase64.b64encode(hmac.digest(self._secret, text, hashlib.sha256)).decode()
