"""A bucket of Cloud Storage, by its JSON API (`google-cloud.md` section 3). Pure."""

from typing import Final
from urllib.parse import quote, urlencode

import msgspec

from adapter.errors import UNREADABLE_JSON, UpstreamBroken
from adapter.providers.reply import Reply

SCHEME: Final = "gs://"


class _StoredObject(msgspec.Struct, frozen=True):
    name: str = ""


class _Listing(msgspec.Struct, frozen=True):
    items: tuple[_StoredObject, ...] = ()


_decoder = msgspec.json.Decoder(_Listing)


class VideoBucket(msgspec.Struct, frozen=True, kw_only=True):
    """A folder in a bucket of Cloud Storage; each video has a folder of its own in it."""

    #: `https://storage.googleapis.com`, or another one that speaks its JSON API.
    base_url: str
    name: str
    #: Without slashes at its ends; it may be empty.
    folder: str

    def folder_of(self, mark: str) -> str:
        """Return the name of the folder for the video of a job."""
        return f"{self.folder}/{mark}/".removeprefix("/")

    def address(self, name: str) -> str:
        """Return the `gs://` address of a file or folder."""
        return f"{SCHEME}{self.name}/{name}"

    def file_url(self, address: str) -> str:
        """Return where a file is read.

        Raises:
            UpstreamBroken: it lies outside of the configured folder.
        """
        inside = self.address(f"{self.folder}/".removeprefix("/"))
        if not address.startswith(inside):
            raise UpstreamBroken("Google names a file that is not in the configured bucket.")
        name = address.removeprefix(f"{SCHEME}{self.name}/")
        return f"{self.base_url}/storage/v1/b/{self.name}/o/{quote(name, safe='')}?alt=media"

    def list_url(self, folder: str) -> str:
        """Return where the files of a folder are listed."""
        return f"{self.base_url}/storage/v1/b/{self.name}/o?{urlencode({'prefix': folder, 'fields': 'items(name)'})}"

    def videos(self, reply: Reply) -> list[str]:
        """Return the addresses of the videos that a listing names.

        Raises:
            UpstreamBroken: it cannot be read.
        """
        try:
            listed = _decoder.decode(reply.body).items if reply.status == 200 else ()
        except UNREADABLE_JSON as error:
            raise UpstreamBroken("Google's answer cannot be read.") from error
        return [self.address(each.name) for each in listed if each.name.endswith(".mp4")]
