"""What several tests begin with."""

import ssl
from pathlib import Path

from adapter.domain.catalogue import Catalogue
from adapter.domain.media import SizePolicy
from adapter.domain.media_links import MediaLinks
from adapter.openai_api.read.context import ReadContext
from adapter.settings import Settings, load_catalogue, load_settings

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests" / "golden"
SANDBOX_TOML = ROOT / "config" / "sandbox.toml"

#: Links as tests read and write them.
LINKS = MediaLinks(public_url="http://here:8000", keep=3600.0)
#: For clients of servers on this machine, which speak no TLS: a client of its own certificates reads them for 30 ms.
WITHOUT_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

#: The configuration of `make run`.
CONFIG: Settings = load_settings(SANDBOX_TOML, {})


def catalogue() -> Catalogue:
    """Return the catalogue as shipped."""
    return load_catalogue(SANDBOX_TOML, CONFIG)


def context(*, longest_prompt: int = 32_000, size_policy: SizePolicy = SizePolicy.NEAREST) -> ReadContext:
    """Return what requests are read against, on the catalogue as shipped."""
    return ReadContext(catalogue=catalogue(), longest_prompt=longest_prompt, size_policy=size_policy, media_links=LINKS)
