"""An S3 bucket: opened with time limits; its errors become messages for the operator.

AWS's own variables (`AWS_REGION`, `AWS_ENDPOINT` and so on) are used for what the settings leave out.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from obstore.exceptions import PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from adapter.domain.ports import Secret
from adapter.errors import WrongConfiguration

if TYPE_CHECKING:  # the library has these for type checkers only
    from obstore.store import S3Config, S3Credential, S3CredentialProvider

#: Until a connection is there. Three tries of a dead address and their pauses take about ten seconds.
CONNECT_SECONDS = 3
#: A request with its body: a 5 MB piece of an upload at 2 Mbit/s. The library's own 30 s come with ten retries.
REQUEST_SECONDS = 20
RETRIES = 2
#: No retry begins later than this after the first try, so what took `REQUEST_SECONDS` is not tried again.
RETRY_SECONDS = 15
#: The library asks for keys again when they end within 300 s (measured): so ours are read anew every minute.
KEYS_SECONDS = 360

#: What the library takes without panicking: it trusts bucket, prefix and endpoint to make a URL.
PLACE = re.compile(r"(?P<bucket>[0-9A-Za-z][0-9A-Za-z._-]{1,62})(?P<prefix>(/[0-9A-Za-z_-][0-9A-Za-z._-]*)*)/?")
#: S3's name for what went wrong. The rest of its answers may repeat keys and what was signed.
CODE = re.compile(r"<Code>(\w{1,64})</Code>")
#: Where AWS's machines keep keys of their own: the last place in which the library looks for some.
MACHINE = "169.254.169.254"
WRONG_KEYS = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken")
WRONG_REGION = ("AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException")


class S3Access(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach a server's buckets."""

    #: Without it, AWS's own for the region.
    endpoint: str = ""
    region: str = ""
    #: Access key and secret key. Without them the library looks where AWS's machines and containers keep theirs.
    keys: tuple[Secret, Secret] | None = None


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """A bucket, or a folder in it, and how to reach it."""

    name: str
    prefix: str
    access: S3Access

    @classmethod
    def of(cls, place: str, access: S3Access) -> "Bucket":
        """Read `bucket/prefix`.

        Raises:
            WrongConfiguration: it is none.
        """
        found = PLACE.fullmatch(place)
        if found is None:
            raise WrongConfiguration(
                f"storage.media is 's3://{place}'; it has to be s3://BUCKET or s3://BUCKET/FOLDER."
            )
        return cls(name=found["bucket"], prefix=found["prefix"].strip("/"), access=access)

    def open(self) -> S3Store:
        """Return the library's view of it. Nothing is sent yet."""
        config: S3Config = {}
        if self.access.endpoint:
            config["endpoint"] = self.access.endpoint.rstrip("/")
        if self.access.region:
            config["region"] = self.access.region
        return S3Store(
            self.name,
            prefix=self.prefix or None,
            config=config,
            client_options={
                "allow_http": self.access.endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                "timeout": timedelta(seconds=REQUEST_SECONDS),
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=RETRY_SECONDS)},
            credential_provider=_reader(*self.access.keys) if self.access.keys else None,
        )

    def explain(self, error: Exception) -> str:
        """Return a message that names the wrong setting."""
        text = str(error)
        server = self.access.endpoint or "AWS"
        code = s3_code(error)
        keys = "storage.s3.access_key, storage.s3.secret_key"
        if MACHINE in text:
            return f"{keys}: none are given, and none were found in the environment or on this machine."
        if code in WRONG_KEYS or isinstance(error, UnauthenticatedError):
            return f"{keys}: {server} does not accept them ({code or 'unauthenticated'})."
        if code in WRONG_REGION:
            return f"storage.s3.region: the bucket '{self.name}' is in another one ({code})."
        if isinstance(error, PermissionDeniedError) or code == "AccessDenied":
            return f"{keys}: they may not read, write, list and delete in the bucket '{self.name}' ({code or 403})."
        if isinstance(error, FileNotFoundError) or code == "NoSuchBucket":
            return f"storage.media: {server} has no bucket '{self.name}'."
        return f"storage.s3.endpoint: {server} does not answer as an S3 server does{f' ({code})' if code else ''}."


def _reader(access_key: Secret, secret_key: Secret) -> "S3CredentialProvider":
    async def read() -> "S3Credential":
        return {
            "access_key_id": await access_key.read(),
            "secret_access_key": await secret_key.read(),
            "token": None,  # one in AWS's variables belongs to other keys
            "expires_at": datetime.now(UTC) + timedelta(seconds=KEYS_SECONDS),
        }

    return read


def s3_code(error: Exception) -> str:
    """Return S3's own name for what went wrong, or nothing if it gave none."""
    found = CODE.search(str(error))
    return found[1] if found else ""
