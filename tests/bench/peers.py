"""Programs of other people, beside ours: nginx as a plain proxy, and LiteLLM. Each is optional."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.bench.ideal import PATH
from tests.bench.programs import SERVER_CORE, Program, free_port
from tests.bench.wire import HOST, NAME

#: One process, so that its computing is counted as that of every other program.
NGINX = """
daemon off; master_process off; pid {own}/nginx.pid; error_log {own}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {own}/body; proxy_temp_path {own}/proxy; fastcgi_temp_path {own}/fastcgi;
  uwsgi_temp_path {own}/uwsgi; scgi_temp_path {own}/scgi;
  upstream origin {{ server {host}:{upstream}; keepalive 128; }}
  server {{
    listen {host}:{port} backlog=1024;
    keepalive_requests 1000000;
    location / {{
      proxy_pass {scheme}://origin{path};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      # A picture stays in memory, as everywhere else.
      proxy_buffers 64 64k; proxy_buffer_size 64k; proxy_busy_buffers_size 128k; proxy_max_temp_file_size 0;
      {trust}
    }}
  }}
}}
"""


LITELLM = """
model_list:
  - model_name: gemini-2.5-flash-image
    litellm_params:
      model: gemini/gemini-2.5-flash-image
      api_base: http://{host}:{upstream}/v1beta
      api_key: AIza-bench
general_settings:
  master_key: sk-bench
  # The key of the clients here is no secret.
  dangerously_permit_weak_or_unset_master_key: true
"""


def start_nginx(executable: str, folder: Path, upstream: int, trust: Path | None = None) -> Program:
    """Start nginx as a plain proxy; with an authority to trust the upstream speaks TLS."""
    port = free_port()
    own = folder / f"nginx{port}"
    own.mkdir()
    checks = f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {trust}; proxy_ssl_name {NAME};" if trust else ""
    scheme = "https" if trust else "http"
    config = own / "nginx.conf"
    config.write_text(
        NGINX.format(own=own, host=HOST, upstream=upstream, port=port, path=PATH, scheme=scheme, trust=checks)
    )
    command = [executable, "-p", own, "-e", own / "error.log", "-c", config]
    return Program.execute("nginx", command, port, core=SERVER_CORE)


def start_litellm(executable: str, folder: Path, upstream: int) -> Program:
    """Start LiteLLM's proxy with one process."""
    port = free_port()
    config = folder / "litellm.yaml"
    config.write_text(LITELLM.format(host=HOST, upstream=upstream))
    # By itself it first tries for half a minute to load its list of prices.
    local = ["env", "LITELLM_LOCAL_MODEL_COST_MAP=True"]
    command = [*local, executable, "--config", config, "--host", HOST, "--port", port, "--num_workers", 1]
    return Program.execute("litellm", command, port, core=SERVER_CORE, log=folder / "litellm.log")


class Peers(NamedTuple):
    """Which of them take part."""

    nginx: str | None = None
    litellm: str | None = None
    #: What is said of those that were wanted and are not here.
    missing: Sequence[str] = ()

    def start(self, folder: Path, upstream: int) -> Sequence[Program]:
        """Start them in front of an upstream."""
        started = []
        if self.nginx:
            started.append(start_nginx(self.nginx, folder, upstream))
        if self.litellm:
            started.append(start_litellm(self.litellm, folder, upstream))
        return started


def find_peers() -> Peers:
    """Look for them: nginx on the path, and LiteLLM where the environment says."""
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    told = os.environ.get("LITELLM")
    litellm = shutil.which(told) if told else None
    missing = []
    if nginx is None:
        missing.append("nginx is skipped: there is no such program on the path.")
    if litellm is None:
        reason = f"LITELLM={told} is no program." if told else "LITELLM does not say where the program is."
        missing.append(f"LiteLLM is skipped: {reason}")
    return Peers(nginx, litellm, missing)
