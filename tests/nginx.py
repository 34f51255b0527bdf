"""A real nginx with the file that docs/deploy ships; only addresses are replaced."""

import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.journeys.server import free_port
from tests.support import ROOT

SHIPPED = ROOT / "docs" / "deploy" / "nginx.conf"
START_SECONDS = 10.0
#: What a distribution's nginx.conf has around the files of conf.d. Compression gathers an answer that is buffered.
#: Without it nginx sends each piece of a chunked answer at once, buffered or not.
AROUND = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log warn; {user}
events {{ worker_connections 1024; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  gzip on; gzip_proxied any; gzip_types application/json text/event-stream;
  include {folder}/conf.d/*.conf;
}}
"""
#: The lines that `resolve` needs, which came with this version.
RESOLVE_SINCE = (1, 27, 3)


def find_nginx() -> str | None:
    """Return the program's path. Debian keeps it where only root looks."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def version(program: str) -> tuple[int, ...]:
    """Return the version of nginx."""
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr
    found = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", said)
    assert found, said
    return tuple(map(int, found.groups()))


def with_fixed_addresses(shipped: str, ports: Sequence[int]) -> str:
    """Return the shipped file in its form for fixed addresses, which every version takes, with these ports here."""
    lines = [line for line in shipped.splitlines() if not re.match(r"resolver | *server adapter:8000 resolve ", line)]
    assert len(lines) == len(shipped.splitlines()) - 2
    text, found = re.subn(r"# (server 10\.0\.0\.\d+:8000 )", r"\1", "\n".join(lines))
    assert found == len(ports) == 2
    for number, port in zip((11, 12), ports, strict=True):
        text = text.replace(f"10.0.0.{number}:8000", f"127.0.0.1:{port}")
    return text


class Nginx:
    """One nginx on a free port, in a folder of its own."""

    def __init__(self, program: str, folder: Path, configuration: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        listens = configuration.replace("listen 80;", f"listen 127.0.0.1:{self.port};")
        assert listens != configuration
        (folder / "conf.d").mkdir()
        (folder / "conf.d" / "default.conf").write_text(listens)
        # The temporary folders belong to one user only if the workers are not another one.
        user = "user root;" if Path("/proc/self").stat().st_uid == 0 else ""
        (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user))
        self._command = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
        self._process: subprocess.Popen[bytes] | None = None

    def check(self) -> subprocess.CompletedProcess[str]:
        """Let nginx read its configuration."""
        return subprocess.run([*self._command, "-t"], capture_output=True, text=True, check=False)

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._process = subprocess.Popen(self._command)
        until = time.monotonic() + START_SECONDS
        while not self._listens():
            assert self._process.poll() is None, (self._folder / "error.log").read_text()
            assert time.monotonic() < until, "nginx does not listen"
            time.sleep(0.02)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """End it and its workers."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=START_SECONDS)
