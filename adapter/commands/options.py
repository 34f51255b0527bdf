"""The options that many commands have: `--config FILE` and `--sandbox`, and `--json`."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource

from adapter import shipped
from adapter.errors import WrongConfiguration

#: The first one that is there. `adapter init` writes the second one.
DEFAULTS: Final = (Path("config/adapter.toml"), Path("adapter.toml"))

_config = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="ADAPTER_CONFIG",
    default=DEFAULTS[0],
    show_default=" or ".join(map(str, DEFAULTS)),
    help="Configuration file; ADAPTER_CONFIG names it as well.",
)
_sandbox = click.option(
    "--sandbox",
    is_flag=True,
    help="Use the configuration of the built-in sandbox; no file is needed. What it keeps lies in ./var/sandbox.",
)


def with_config(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command both options, and the file that they lead to as its argument `config`."""

    @_config
    @_sandbox
    @functools.wraps(command)
    def run(*, config: Path, sandbox: bool, **others: object) -> None:
        source = click.get_current_context().get_parameter_source("config")
        command(config=_chosen(config, source, sandbox=sandbox).absolute(), **others)

    return run


def _chosen(config: Path, source: ParameterSource | None, *, sandbox: bool) -> Path:
    if sandbox:
        if source is ParameterSource.COMMANDLINE:
            raise click.UsageError("--sandbox has a configuration of its own: give either --config or --sandbox.")
        return shipped.SANDBOX
    if source is not ParameterSource.DEFAULT:
        return config
    if (found := next((each for each in DEFAULTS if each.exists()), None)) is None:
        raise WrongConfiguration(
            f"There is no {' and no '.join(map(str, DEFAULTS))} here. `adapter serve --sandbox` needs no file. For "
            "your own accounts: `adapter init` asks five questions and writes adapter.toml; or `adapter config > "
            "adapter.toml` and edit it. Then `adapter serve`. --config names a file in another place."
        )
    return found


with_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
