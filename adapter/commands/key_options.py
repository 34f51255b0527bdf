"""The options of `adapter keys create` and `keys set`, and how a key is shown."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeVar

import click
import msgspec

from adapter.access.keys import KeyRecord
from adapter.domain.allowance import (
    UNLIMITED,
    YES_OR_NO,
    Allowance,
    LimitState,
    Window,
    changed,
    written,
    written_time,
)

#: What is set by each option. `none` takes a value away.
_OPTIONS: Final = (
    ("--models", "models", "Models that it may use, with commas between them. * stands for anything."),
    ("--rpm", "rpm", "New work in a minute: pictures, videos and texts."),
    ("--images-per-day", "images_per_day", "Pictures in a day."),
    ("--videos-per-day", "videos_per_day", "Videos in a day."),
    ("--budget", "budget", "Money in a day or month: 20USD/month, or 20USD/month,500credits/day."),
    ("--expires", "expires_at", "Its last day: 2027-01-31; or how long it is valid from now on: 30d, 12h."),
    ("--markup", "markup", "How chats show videos (chat.video_markup)."),
    ("--side-calls", "side_calls", "What becomes of side calls (chat.side_calls)."),
    ("--response-format", "response_format", "How pictures are handed over (images.response_format)."),
)


def _as_text(_ctx: click.Context, _option: click.Parameter, is_admin: bool | None) -> str | None:
    """Return what the flag says as the other options do."""
    return None if is_admin is None else YES_OR_NO[not is_admin]


_admin = click.option(
    "--admin/--no-admin",
    default=None,
    callback=_as_text,
    help="It also sees what all keys made and spent, and the accounts (/v1/organization/…), or no more.",
)

_F = TypeVar("_F", bound=Callable[..., object])


def with_allowance(command: _F) -> _F:
    """Give a command the options of what a key may do."""
    command = _admin(command)
    for flag, name, words in reversed(_OPTIONS):
        command = click.option(flag, name, help=f"{words} none takes it away.")(command)
    return command


def asked_allowance(allowance: Allowance, asked: Mapping[str, str | None], now: float) -> Allowance:
    """Return an allowance with what the options change.

    Raises:
        BadParameter: an option has no such value.
    """
    for flag, name, _ in (*_OPTIONS, ("--admin", "admin", "")):
        text = asked.get(name)
        if text is None:
            continue
        try:
            allowance = changed(allowance, name, text, now)
        except ValueError as error:
            raise click.BadParameter(f"{error}.", param_hint=f"'{flag}'") from error
    return allowance


class ShownLimit(msgspec.Struct, frozen=True, kw_only=True):
    """One limit of a key, for programs. Amounts of money are decimals."""

    #: `images`, `requests`, `videos`, or a currency and a time: `USD/month`.
    kind: str
    window: Window
    limit: int | Decimal
    taken: int | Decimal
    #: In Unix seconds.
    resets_at: int


class ShownKey(msgspec.Struct, frozen=True):
    """What is known of a key, for programs. Times are Unix seconds."""

    name: str
    #: None: it is a key of the configuration.
    created_at: float | None
    revoked_at: float | None
    owner: str
    allowance: Allowance = UNLIMITED
    limits: tuple[ShownLimit, ...] = ()


def shown_key(key: KeyRecord | ShownKey, states: Sequence[LimitState]) -> ShownKey:
    """Return a key with what it has taken of its limits."""
    limits = tuple(
        ShownLimit(
            kind=each.limit.kind,
            window=each.limit.window,
            limit=each.limit.value(each.limit.most),
            taken=each.limit.value(each.taken),
            resets_at=each.resets_at,
        )
        for each in states
    )
    return ShownKey(key.name, key.created_at, key.revoked_at, key.owner, key.allowance, limits)


def key_lines(key: KeyRecord | ShownKey, states: Sequence[LimitState] = ()) -> str:
    """Return what is known of a key, in words. The key itself is not known."""
    created = "in the configuration" if key.created_at is None else written_time(key.created_at)
    values = {"name": key.name, "owner": key.owner, "created": created}
    if key.revoked_at is not None:
        values["revoked"] = written_time(key.revoked_at)
    values |= written(key.allowance)
    lines = [*values.items(), *(("taken", _state_line(each)) for each in states)]
    return "\n".join(f"{name:16} {value}" for name, value in lines)


def _state_line(state: LimitState) -> str:
    limit = state.limit
    told = f"{limit.write(state.taken)} of {limit.write(limit.most)} in this {limit.window}"
    return f"{told}, until {written_time(state.resets_at)}"


def short_allowance(allowance: Allowance) -> str:
    """Return what a key may do, in one line."""
    return "  ".join(f"{name}={value}" for name, value in written(allowance).items())
