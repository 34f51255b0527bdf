"""A real S3 server, emulated by moto: its protocol, not its signatures unless it is told to look at keys."""

import logging
from uuid import uuid4
from xml.etree import ElementTree as ET

import httpx
from moto.server import ThreadedMotoServer

from adapter.credentials import FixedSecret
from adapter.media.s3 import S3Access
from tests.support import WITHOUT_TLS

HTTP = httpx.Client(verify=WITHOUT_TLS, limits=httpx.Limits(max_keepalive_connections=0))


class S3Server:
    """A server on a free port."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"

    def stop(self) -> None:
        """Free the port."""
        self._server.stop()

    def new_bucket(self) -> str:
        """Return the name of an empty bucket."""
        name = f"bucket-{uuid4()}"
        HTTP.put(f"{self.url}/{name}").raise_for_status()
        return name

    def access(self) -> S3Access:
        """Return how to get in."""
        return S3Access(endpoint=self.url, region="us-east-1", keys=(FixedSecret("AKIATEST"), FixedSecret("secret")))

    def head(self, path: str) -> httpx.Headers:
        """Return what the server says of an object. It wants to see a signature, and looks at none."""
        return HTTP.head(f"{self.url}/{path}", headers={"authorization": "AWS any"}).raise_for_status().headers

    def names(self, bucket: str) -> list[str]:
        """Return the names of the objects in a bucket."""
        return self._told(f"{self.url}/{bucket}?list-type=2", "Contents/Key")

    def unfinished(self, bucket: str) -> list[str]:
        """Return the names of the uploads that were begun and neither completed nor aborted."""
        return self._told(f"{self.url}/{bucket}?uploads", "Upload/Key")

    def _told(self, url: str, path: str) -> list[str]:
        answer = ET.fromstring(HTTP.get(url).raise_for_status().text.replace(' xmlns="', ' x="'))  # noqa: S314 - ours
        return [found.text or "" for found in answer.findall(path)]

    def look_at_keys(self, *, strictly: bool) -> None:
        """Refuse keys that were never made, or go on to accept any."""
        HTTP.post(f"{self.url}/moto-api/reset-auth", content=b"0" if strictly else b"1000000000").raise_for_status()
