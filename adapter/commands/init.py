"""`adapter init`: asks five questions and writes a configuration with its comments."""

import os
import re
import secrets
import shlex
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click

from adapter import shipped
from adapter.commands.first_configuration import FLOW_TOKEN, GEMINI_KEY, SERVICES, FirstAnswers, first_configuration

_REFERENCE: Final = re.compile(r"(env:\w+|file:.+|cmd:.+)")
_PROJECT: Final = re.compile(r"[0-9A-Za-z-]+")

NEXT: Final = """{path} is written. Each key in it is explained. Next:

  {exports}
  adapter check --config {path}
  adapter serve --config {path}
"""


@click.command()
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), default="adapter.toml")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
def init(path: Path, *, force: bool) -> None:
    """Ask five questions at most and write a configuration to PATH (adapter.toml).

    Secrets are not asked for: the file says where they are read from.
    """
    if path.exists() and not path.is_file():
        raise click.ClickException(f"{path} is no file.")
    if path.exists() and not force:
        raise click.ClickException(f"{path} exists. --force replaces it.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise click.ClickException(f"The folder {path.parent} is not there, or takes no file.")
    answers = _asked()
    text = first_configuration((shipped.FOLDER / "adapter.toml").read_text(encoding="utf-8"), answers)
    try:
        _write(path, text)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from error
    click.echo(NEXT.format(path=shlex.quote(str(path)), exports="\n  ".join(_exports(answers))))


def _write(path: Path, text: str) -> None:
    """Write the file whole or not at all, so that a full disk leaves the file that was there."""
    place = path.resolve()
    part = place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)


def _asked() -> FirstAnswers:
    services = click.prompt(
        f"1. Which of Google's services do you have ({', '.join(SERVICES)})? Several with commas",
        default="gemini",
        value_proc=_services,
    )
    has_key, has_flow = bool(services & {"gemini", "omni"}), "flow" in services
    return FirstAnswers(
        services=services,
        gemini_key=_reference("2. Where is the key of the Gemini API?", GEMINI_KEY) if has_key else GEMINI_KEY,
        flow_token=_reference("3. Where is the access token of Flow?", FLOW_TOKEN) if has_flow else FLOW_TOKEN,
        flow_project=click.prompt("4. Id of the project of Flow (in the address bar of Flow)", value_proc=_project)
        if has_flow
        else "",
        public_url=click.prompt(
            "5. Address that clients use, such as https://media.example (empty: this machine only)",
            default="",
            show_default=False,
            value_proc=_address,
        ),
    )


def _reference(question: str, usual: str) -> str:
    answer: str = click.prompt(f"{question} env:NAME, file:/path or cmd:program", default=usual, value_proc=_place)
    return answer


def _services(said: str) -> frozenset[str]:
    services = frozenset(each.strip().lower() for each in said.split(",") if each.strip())
    if not services or services - set(SERVICES):
        raise click.BadParameter(f"these are: {', '.join(SERVICES)}.")
    return services


def _place(said: str) -> str:
    if not _REFERENCE.fullmatch(said.strip()):
        raise click.BadParameter("say where the secret is, not the secret: env:NAME, file:/path or cmd:program.")
    return said.strip()


def _project(said: str) -> str:
    if not _PROJECT.fullmatch(said.strip()):
        raise click.BadParameter("an id has letters, digits and hyphens.")
    return said.strip()


def _address(said: str) -> str:
    address = said.strip().rstrip("/").removesuffix("/v1")
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        is_address = is_address and not set(address) & set("@?# \t")
    except ValueError:
        is_address = False
    if address and not is_address:
        raise click.BadParameter("an address begins with http:// or https://, and has no user, ? and #.")
    return address


def _exports(answers: FirstAnswers) -> list[str]:
    """Return a line for each variable that has to be set."""
    references = [answers.gemini_key] if answers.services & {"gemini", "omni"} else []
    references += [answers.flow_token] if "flow" in answers.services else []
    names = [each.removeprefix("env:") for each in references if each.startswith("env:")]
    return ["export ADAPTER_KEY=$(openssl rand -hex 24)  # clients send it", *(f"export {name}=…" for name in names)]
