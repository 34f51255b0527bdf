"""A person's first configuration: the shipped one, with its comments, and with what the person said."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import msgspec

#: The services that are asked about. Google Cloud stays in the file as a comment.
SERVICES: Final = ("gemini", "omni", "flow")
GEMINI_KEY: Final = "env:GEMINI_API_KEY"
FLOW_TOKEN: Final = "env:FLOW_TOKEN"  # noqa: S105 - the name of a variable
#: Hosts that only this machine reaches.
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_HEADER: Final = re.compile(r"\[\[?([^\]]+)\]")
_LINE: Final = re.compile(r"(?P<key>\w+) = (?P<value>.*?)(?P<comment>\s+#.*)?$")


class FirstAnswers(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said. Secrets are references."""

    services: frozenset[str]
    gemini_key: str = GEMINI_KEY
    flow_token: str = FLOW_TOKEN
    flow_project: str = ""
    #: The address that clients use; empty: this machine only.
    public_url: str = ""


def first_configuration(shipped: str, answers: FirstAnswers) -> str:
    """Return the shipped configuration with these answers, without the services that are not there.

    An http address is one of this server, so the server listens on all addresses and at the port of it. An https
    address is one of a proxy, which is taken to be on this machine.
    """
    values = _values(answers)
    blocks = [block for block in shipped.split("\n\n") if _service(block) in answers.services | {None}]
    return "\n\n".join(_with_values(block, values) for block in blocks)


def _values(answers: FirstAnswers) -> dict[tuple[str, str], object]:
    values: dict[tuple[str, str], object] = {
        ("providers.gemini", "keys"): [answers.gemini_key],
        ("providers.omni", "keys"): [answers.gemini_key],
        ("providers.flow.accounts", "token"): answers.flow_token,
        ("providers.flow.accounts", "project_id"): answers.flow_project,
    }
    address = urlsplit(answers.public_url)
    if address.scheme:
        values["server", "public_url"] = answers.public_url
    if address.scheme == "http":
        values["server", "port"] = address.port or 80
    if address.scheme == "http" and address.hostname not in LOOPBACK:
        values["server", "host"] = "0.0.0.0"  # noqa: S104 - clients on other machines were asked for
    return values


def _section(block: str) -> str:
    found = _HEADER.match(block)
    return found[1] if found else ""


def _service(block: str) -> str | None:
    first, _, rest = _section(block).partition(".")
    return rest.split(".")[0] if first == "providers" else None


def _with_values(block: str, values: dict[tuple[str, str], object]) -> str:
    section = _section(block)
    return "\n".join(_lines(section, block.split("\n"), values))


def _lines(section: str, lines: Iterable[str], values: dict[tuple[str, str], object]) -> Iterable[str]:
    for line in lines:
        found = _LINE.match(line)
        if found and (section, found["key"]) in values:
            said = f"{found['key']} = {msgspec.json.encode(values[section, found['key']]).decode()}"
            comment = found["comment"] or ""
            column = found.start("comment") + len(comment) - len(comment.lstrip())
            yield f"{said} ".ljust(column) + comment.lstrip() if comment else said
        else:
            yield line
