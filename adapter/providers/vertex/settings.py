"""The section `[providers.vertex]`."""

from collections.abc import Collection, Iterable
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from adapter.domain.credentials import ConfiguredCredential
from adapter.providers.description import (
    ADDRESS_WORDS,
    AnswerSeconds,
    Kind,
    VideoProviderSettings,
)
from adapter.providers.limits import HttpLimits

#: The only reference to a credential of the section.
CREDENTIAL: Final = "credential"

Project = Annotated[
    str, Meta(pattern=r"^[a-z0-9.:-]*$", max_length=100, description="the id of a project, such as my-project-123")
]
OptionalAddress = Annotated[
    str, Meta(pattern=r"^(https?://[^\s]+[^/\s])?$", description=f"{ADDRESS_WORDS}, or nothing")
]


class VertexSettings(VideoProviderSettings, frozen=True, kw_only=True):
    """Gemini on Google Cloud, in one project."""

    #: Empty: Google's host for the location.
    base_url: OptionalAddress = ""
    api_version: Annotated[str, Meta(pattern=r"^v1[a-z0-9]*$", description="a version, such as v1 or v1beta1")] = (
        "v1beta1"
    )
    #: The project's id or number. Empty with `auth = "key"`: the key belongs to one.
    project: Project = ""
    #: `global`, a multi-region (`us`, `eu`), or a region. Not every model is in every region.
    location: Annotated[
        str, Meta(pattern=r"^[a-z0-9-]+$", max_length=40, description="a location, such as global or europe-west4")
    ] = "global"
    #: What the credential is: an access token, or an API key of Google Cloud ("express mode").
    auth: Literal["bearer", "key"] = "bearer"
    credential: str
    #: The project that calls are counted for. Empty: as the credential says.
    quota_project: Project = ""
    #: Whether the format of a picture is asked for (`imageOutputOptions`), so that it need not be converted here.
    output_options: bool = True
    #: Times of requests (`HttpLimits`).
    answer_seconds: AnswerSeconds = 600.0
    #: Calls for pictures under way at once.
    concurrency: Annotated[int, Meta(ge=1, le=1024)] = 64
    #: A folder in Cloud Storage for videos of Gemini Omni, `gs://BUCKET/FOLDER`. Empty: they come in Google's answers.
    bucket: Annotated[
        str,
        Meta(
            pattern=r"^(gs://[a-z0-9][a-z0-9._-]{1,220}(/[A-Za-z0-9._-]+)*)?\Z",
            description="a folder, such as gs://my-videos/adapter, or nothing",
        ),
    ] = ""
    #: The address of Cloud Storage. Empty: Google's, or `base_url` where that is given.
    storage_url: OptionalAddress = ""
    #: As of Gemini Omni. An answer to a question may hold a whole video.
    send_seed: bool = False
    questions: Annotated[int, Meta(ge=1, le=256)] = 4
    refused_polls: Annotated[int, Meta(ge=2, le=1000)] = 10
    refused_seconds: Annotated[float, Meta(ge=0, le=86_400)] = 120.0

    def __post_init__(self) -> None:
        if self.auth == "bearer" and not self.project:
            raise ValueError("an access token needs a `project`")
        if self.auth == "key" and self.project:
            raise ValueError('`auth = "key"` takes no `project`: the key belongs to one')
        if self.auth == "key" and self.bucket:
            raise ValueError("a `bucket` needs an access token and a `project`")

    @property
    def credential_name(self) -> str:
        """What jobs remember. It is the name of the project, so that a job outlives its credential."""
        return self.project or "express"

    def limits(self) -> HttpLimits:
        """Return what requests may take."""
        return msgspec.structs.replace(super().limits(), answer=self.answer_seconds)

    def secrets(self) -> Iterable[tuple[str, str]]:
        """Return the reference of the credential."""
        return [(CREDENTIAL, self.credential)]

    def credentials(self) -> Iterable[ConfiguredCredential]:
        """Return the credential."""
        return [ConfiguredCredential(self.credential_name)]

    def leaves_out(self) -> Collection[Kind]:
        """Return videos, if there is no project: their address needs one."""
        without: tuple[Kind, ...] = () if self.project else ("video",)
        return without
