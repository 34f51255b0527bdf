"""Grants and access tokens of Google Cloud (`google-cloud.md` section 4).

The token service takes what Google's own library sends: an assertion that a service account's key has signed, or a
refresh token. An access token is signed by the sandbox, so that it outlives a restart.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from adapter.sandbox.cloud.rules import CloudRules

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
#: What Google's own library claims, whatever the file calls the token service.
GOOGLES_AUDIENCE: Final = "https://oauth2.googleapis.com/token"
#: Seconds for which an assertion is good at most, and by which two clocks may differ.
LONGEST_ASSERTION: Final = 3600.0
CLOCK_SKEW: Final = 60.0


class TokenAnswer(msgspec.Struct, frozen=True):
    """A new access token."""

    access_token: str
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105 - OAuth's word


class TokenRefusal(msgspec.Struct, frozen=True):
    """A refusal of OAuth (RFC 6749 section 5.2)."""

    error: str
    error_description: str


class Claims(msgspec.Struct, frozen=True):
    """What an assertion claims."""

    iss: str
    aud: str
    scope: str
    iat: float
    exp: float


class KeyFile(msgspec.Struct, frozen=True, kw_only=True):
    """A key of a service account, as Google's console gives it out."""

    type: str = "service_account"
    project_id: str
    private_key_id: str
    private_key: str
    client_email: str
    client_id: str = "100000000000000000001"
    token_uri: str


class RefusedGrantError(Exception):
    """A grant that is worth no token."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.refusal = TokenRefusal(error, description)


class CloudAccess:
    """Who may call: the keys of a service account, logins of people, and access tokens."""

    def __init__(self, rules: CloudRules, secret: str, clock: Callable[[], float]) -> None:
        self._rules = rules
        self._secret = secret.encode()
        self._clock = clock
        self._keys: dict[str, RSAPrivateKey] = {}
        #: The ids of keys, and the refresh tokens, that are not good any more.
        self.revoked: set[str] = set()
        #: Access tokens that end before their time.
        self.ended: set[str] = set()
        self._given: list[str] = []

    def new_key(self, token_uri: str) -> KeyFile:
        """Make a key of the service account. The extra `vertex` brings the library for it."""
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

        key, name = rsa.generate_private_key(65537, 2048), secrets.token_hex(20)
        self._keys[name] = key
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return KeyFile(
            project_id=self._rules.project,
            private_key_id=name,
            private_key=pem.decode(),
            client_email=self._rules.email,
            token_uri=token_uri,
        )

    def exchanged(self, form: Mapping[str, str], audience: str) -> TokenAnswer:
        """Return an access token for a grant.

        Raises:
            RefusedGrantError: the grant is not good.
        """
        match form.get("grant_type"):
            case grant if grant == JWT_GRANT:
                self._check_assertion(form.get("assertion", ""), audience)
            case "refresh_token":
                self._check_login(form)
            case _:
                raise RefusedGrantError("unsupported_grant_type", "Invalid grant_type")
        end = int(self._clock() + self._rules.token_seconds)
        text = f"{end}.{secrets.token_hex(8)}"
        token = f"ya29.{text}.{self._signature(text)}"
        self._given.append(token)
        return TokenAnswer(token, self._rules.token_seconds)

    def end_tokens(self) -> None:
        """End every access token that was given out."""
        self.ended |= set(self._given)

    def is_good(self, token: str) -> bool:
        """Return whether an access token opens the project."""
        if token in self._rules.tokens:
            return True
        head, _, rest = token.partition(".")
        text, _, signature = rest.rpartition(".")
        is_ours = head == "ya29" and hmac.compare_digest(self._signature(text).encode(), signature.encode())
        return is_ours and token not in self.ended and self._clock() < float(text.partition(".")[0])

    def _check_login(self, form: Mapping[str, str]) -> None:
        if (form.get("client_id"), form.get("client_secret")) != (self._rules.client_id, self._rules.client_secret):
            raise RefusedGrantError("invalid_client", "The provided client secret is invalid.")
        token = form.get("refresh_token", "")
        if token != self._rules.refresh_token or token in self.revoked:
            raise RefusedGrantError("invalid_grant", "Token has been expired or revoked.")

    def _check_assertion(self, assertion: str, audience: str) -> None:
        signed, _, signature = assertion.rpartition(".")
        head, _, body = signed.partition(".")
        try:
            name = msgspec.json.decode(_decoded(head), type=dict[str, str]).get("kid", "")
            claims = msgspec.json.decode(_decoded(body), type=Claims)
            self._check_signature(name, signed.encode(), _decoded(signature))
        except (ValueError, msgspec.MsgspecError) as error:
            raise RefusedGrantError("invalid_grant", "Invalid JWT Signature.") from error
        now = self._clock()
        if claims.iss != self._rules.email:
            raise RefusedGrantError("invalid_grant", "Invalid grant: account not found")
        if claims.aud not in {GOOGLES_AUDIENCE, audience}:
            raise RefusedGrantError("invalid_grant", "Invalid JWT: Failed audience check.")
        if not (claims.iat - CLOCK_SKEW <= now < claims.exp <= claims.iat + LONGEST_ASSERTION):
            raise RefusedGrantError(
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check "
                "your iat and exp values in the JWT claim.",
            )
        if SCOPE not in claims.scope.split():
            raise RefusedGrantError("invalid_scope", "Invalid OAuth scope or ID token audience provided.")

    def _check_signature(self, name: str, signed: bytes, signature: bytes) -> None:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415

        key = self._keys.get(name)
        if key is None or name in self.revoked:
            raise ValueError(name)
        try:
            key.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature as error:
            raise ValueError(name) from error

    def _signature(self, text: str) -> str:
        return hmac.digest(self._secret, text.encode(), hashlib.sha256).hex()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
