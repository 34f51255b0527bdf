"""Addresses of Google Cloud, and what its calls have in their headers (`google-cloud.md` sections 2 and 4)."""

from collections.abc import Mapping
from typing import ClassVar, Final
from urllib.parse import quote

import msgspec

from adapter.domain.ports import CloudSecret
from adapter.domain.texts import TextMethod, TextRequest
from adapter.errors import InvalidRequest
from adapter.providers.keys import Key

#: The location of interactions.
GLOBAL: Final = "global"


class CloudEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where Google Cloud is, and how it wants its credential."""

    provider: ClassVar[str] = "vertex"

    base_url: str
    api_version: str
    #: Empty: the credential is an API key, and the address has no project.
    project: str
    location: str
    quota_project: str
    has_output_options: bool
    #: Calls under way at once.
    concurrency: int

    def address(self, model: str, key: Key, secret: str) -> tuple[str, Mapping[str, str]]:
        """Return the URL and the headers of a call for a picture or a text."""
        place = f"{self.place(self.location)}/" if self.project else ""
        url = f"{self.base_url}/{self.api_version}/{place}publishers/google/models/{model}:generateContent"
        return url, {"content-type": "application/json", **self.credential(key, secret)}

    def text_address(self, request: TextRequest, key: Key, secret: str) -> tuple[str, Mapping[str, str]]:
        """Return the URL and the headers of a request for a text.

        Raises:
            InvalidRequest: a chat in OpenAI's form with an API key: its route is in a project.
        """
        if request.method is TextMethod.CHAT:
            if not self.project:
                raise InvalidRequest(
                    "An API key of Google Cloud writes no chats in OpenAI's form. Use Google's own route, POST "
                    f"/v1beta/models/{request.model}:generateContent.",
                    param="model",
                )
            url = f"{self.base_url}/{self.api_version}/{self.place(self.location)}/endpoints/openapi/chat/completions"
            return url, {"content-type": "application/json", **self.credential(key, secret)}
        url, headers = self.address(request.model, key, secret)
        url = f"{url.rpartition(':')[0]}:{request.method}"
        return f"{url}?alt=sse" if request.is_events else url, headers

    def chat_model(self, model: str) -> str:
        """Return what a model is called in a chat's body: with its publisher."""
        return f"google/{model}"

    def place(self, location: str) -> str:
        """Return the project in a location, as it stands in addresses."""
        return f"projects/{quote(self.project, safe=':')}/locations/{location}"

    def credential(self, key: Key, secret: str) -> Mapping[str, str]:
        """Return the headers that show who calls, and which project it is counted for."""
        if not self.project:
            return {"x-goog-api-key": secret}
        named = key.secret.quota_project if isinstance(key.secret, CloudSecret) else ""
        counted_for = self.quota_project or named
        return {"authorization": f"Bearer {secret}", **({"x-goog-user-project": counted_for} if counted_for else {})}


class CloudInteractions(msgspec.Struct, frozen=True):
    """Where interactions are offered: in a project, and in one location only (the protocol `InteractionsEndpoint`)."""

    provider: ClassVar[str] = "vertex"

    #: With the host of that location.
    cloud: CloudEndpoint
    #: Questions under way at once.
    concurrency: int

    @property
    def base_url(self) -> str:
        """The origin that gets the credential."""
        return self.cloud.base_url

    @property
    def api_version(self) -> str:
        """Part of each address."""
        return self.cloud.api_version

    def address(self, *path: str) -> str:
        """Return the address of something in the project."""
        return "/".join((self.base_url, self.api_version, self.cloud.place(GLOBAL), *(quote(part) for part in path)))

    def headers(self, key: Key, secret: str) -> Mapping[str, str]:
        """Return the headers of a call."""
        return self.cloud.credential(key, secret)


def host(location: str) -> str:
    """Return Google's own address for a location."""
    match location:
        case "global":
            return "https://aiplatform.googleapis.com"
        case "us" | "eu":
            return f"https://aiplatform.{location}.rep.googleapis.com"
        case _:
            return f"https://{location}-aiplatform.googleapis.com"
