"""`adapter sandbox`: serves the emulator of Google's side, and nothing else."""

import signal

import click

from adapter import serving
from adapter.sandbox.rules import SandboxRules

STOP = (signal.SIGINT, signal.SIGTERM)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8001, show_default=True, help="TCP port.")
@click.option("--state", default="", help="Folder that keeps jobs and credits. Without it a restart loses them.")
def sandbox(host: str, port: int, state: str) -> None:
    """Serve only the emulator of Gemini and Flow."""
    rules = SandboxRules(host=host, port=port, state=state)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP)
    with serving.emulator(rules) as base_url:
        click.echo(f"Gemini and Flow, emulated, at {base_url}")
        click.echo(f"Gemini key: {rules.api_keys[0]}   Flow token: {rules.accounts[0].token}")
        signal.sigwait(STOP)
