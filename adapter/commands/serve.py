"""`adapter serve`: the server."""

import os
from pathlib import Path

import click
import msgspec

from adapter import serving
from adapter.commands.opening import open_settings
from adapter.commands.options import with_config
from adapter.reload_plan import Configuration
from adapter.settings import load_catalogue, load_settings


@click.command()
@with_config
@click.option("--host", help="Address to listen on, instead of server.host.")
@click.option("--port", type=click.IntRange(0, 65_535), help="TCP port, instead of server.port.")
def serve(config: Path, host: str | None, port: int | None) -> None:
    """Serve the API."""
    open_settings(config)

    def read() -> Configuration:
        settings = load_settings(config, os.environ)
        place = msgspec.structs.replace(
            settings.server,
            host=host or settings.server.host,
            port=settings.server.port if port is None else port,
        )
        settings = msgspec.structs.replace(settings, server=place)
        return Configuration(settings, load_catalogue(config, settings))

    serving.serve(read)
