"""Links to our own files: written into answers, and known again in what clients send."""

import msgspec


class MediaLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Where stored files are found, and for how long."""

    #: The address of this server as clients reach it, without a slash at its end.
    public_url: str
    #: Seconds after which files are deleted; 0 keeps them.
    keep: float = 0.0

    @property
    def base(self) -> str:
        """What each link begins with; the name of the file follows."""
        return f"{self.public_url}/media/"

    def link(self, name: str) -> str:
        """Return the address of a file: no query, and it ends in the file's extension (`frontends.md` R9)."""
        return f"{self.base}{name}"

    def download_link(self, name: str) -> str:
        """Return the address under which a browser saves the file instead of showing it."""
        return f"{self.link(name)}?download=1"

    def name_in(self, url: str) -> str | None:
        """Return the name of the file that a link of ours leads to; None for any other address.

        The name is as the client wrote it: the media store looks for names of its own form only.
        """
        return url[len(self.base) :].partition("?")[0] if url.startswith(self.base) else None
