"""`make demo`: drive a server with the official client, watch it, and keep what comes in `out/`.

A server that answers at ADAPTER_URL (by default the one of `make run`) is used with ADAPTER_KEY; otherwise one is
started on the sandbox and stopped at the end.
"""

import base64
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import openai

from tests.journeys.server import free_port
from tests.support import ROOT

OUT = ROOT / "out"
URL = os.environ.get("ADAPTER_URL", "http://127.0.0.1:8000")
KEY = os.environ.get("ADAPTER_KEY", "sk-sandbox")


def answers(url: str) -> bool:
    """Say whether an adapter is there."""
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def server() -> Iterator[str]:
    """Yield the address of a server: one that runs, or our own."""
    if answers(URL):
        yield URL
        return
    port = free_port()
    command = [sys.executable, "-m", "adapter", "serve", "--config", "config/sandbox.toml", "--port", str(port)]
    quiet = subprocess.DEVNULL
    with (
        TemporaryDirectory() as folder,
        subprocess.Popen(command, cwd=ROOT, env=offload(folder), stdout=quiet, stderr=quiet) as process,
    ):
        try:
            while not answers(f"http://127.0.0.1:{port}") and process.poll() is None:
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def offload(folder: str) -> dict[str, str]:
    """Return an environment in which a server shares nothing with another one."""
    return {
        **os.environ,
        "ADAPTER__SANDBOX__PORT": "0",
        "ADAPTER__SANDBOX__STATE": f"{folder}/upstream",
        "ADAPTER__STORAGE__DATABASE": f"sqlite:///{folder}/adapter.db",
        "ADAPTER__STORAGE__MEDIA": f"file://{folder}/media",
    }


def draw(client: openai.OpenAI, model: str, file: Path) -> None:
    """Make a picture and keep it."""
    print(f"{model}: a picture …", flush=True)
    made = client.images.generate(model=model, prompt="a lighthouse at dusk, oil on canvas", size="1536x1024")
    assert made.data is not None
    file.write_bytes(base64.b64decode(made.data[0].b64_json or ""))
    print(f"  {made.size} {made.output_format} -> {file}", flush=True)


def film(client: openai.OpenAI, model: str, file: Path) -> None:
    """Make a video, show its progress, and keep it."""
    print(f"{model}: a video …", flush=True)
    content = ""
    for chunk in client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "waves at sunset, slow motion"}], stream=True
    ):
        delta = chunk.choices[0].delta
        print(f"  {line}" if (line := delta.model_dump().get("reasoning_content")) else "", end="", flush=True)
        content += delta.content or ""
    [link] = re.findall(r"\(([^\s)]+\.mp4)\)", content)
    file.write_bytes(httpx.get(link).content)
    print(f"  the clip -> {file}", flush=True)


def main() -> None:
    """Make two pictures and a video."""
    OUT.mkdir(exist_ok=True)
    with server() as url, openai.OpenAI(base_url=f"{url}/v1", api_key=KEY) as client:
        draw(client, "gemini-3.1-flash-image", OUT / "gemini.png")
        draw(client, "flow-gem-pix", OUT / "flow.png")
        film(client, "veo-3.1-fast", OUT / "video.mp4")


if __name__ == "__main__":
    main()
