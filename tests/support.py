"""What several tests begin with."""

from pathlib import Path

from adapter.domain.catalogue import Catalogue
from adapter.settings import Settings, load_catalogue, load_settings

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests" / "golden"
SANDBOX_TOML = ROOT / "config" / "sandbox.toml"

#: The configuration of `make run`.
CONFIG: Settings = load_settings(SANDBOX_TOML, {})


def catalogue() -> Catalogue:
    """Return the catalogue as shipped."""
    return load_catalogue(SANDBOX_TOML, CONFIG)
