"""The settings of the sandbox's Google Cloud."""

from typing import Annotated

import msgspec
from msgspec import Meta


class CloudRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The section `[sandbox.cloud]`: one project, and who may use it."""

    #: The only project.
    project: str = "sandbox-project"
    #: Access tokens that are always good, for a configuration without a key file.
    tokens: tuple[str, ...] = ("ya29.sandbox",)
    #: The service account whose keys `GET /sandbox/cloud/key` hands out.
    email: str = "adapter@sandbox-project.iam.gserviceaccount.com"
    #: The login of a person.
    client_id: str = "sandbox.apps.googleusercontent.com"
    client_secret: str = "GOCSPX-sandbox"  # noqa: S105 - it opens only the emulator
    refresh_token: str = "1//sandbox-refresh-token"  # noqa: S105 - as above
    #: How long an access token is good.
    token_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 3599
    #: The only bucket.
    bucket: str = "sandbox-bucket"
