"""`adapter config`: prints the files that come with the program."""

import click

from adapter import shipped
from adapter.commands.config_reference import config_reference
from adapter.commands.config_schema import config_schema


@click.command()
@click.argument("name", type=click.Choice(["adapter", "models", "sandbox", "schema", "reference"]), default="adapter")
def config(name: str) -> None:
    """Print a file that comes with the program, as the start of your own.

    "adapter" has every key with its default, "models" is the catalogue, "sandbox" is what --sandbox uses. "schema" is
    the JSON schema of "adapter", with which editors of TOML know every key. "reference" is a page of all settings.
    """
    if name == "schema":
        click.echo(config_schema())
        return
    if name == "reference":
        click.echo(config_reference(), nl=False)
        return
    click.echo((shipped.FOLDER / f"{name}.toml").read_text(encoding="utf-8"), nl=False)
