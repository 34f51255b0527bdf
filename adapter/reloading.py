"""Takes a changed configuration over while the server runs: all of what it can take over, or nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

import msgspec
import structlog

from adapter.errors import AdapterError
from adapter.key_models import key_risks
from adapter.machine import read_machine
from adapter.reload_plan import Configuration, plan_reload
from adapter.risks import Risk, risks

log = structlog.get_logger()

#: Reads the configuration anew.
Read = Callable[[], Configuration]
#: Builds what a configuration needs, and returns the function that puts it in place at once.
Prepare = Callable[[Configuration], Awaitable[Callable[[], None]]]


class ReloadReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a reload."""

    #: What is wrong. If there is any mistake, nothing is taken over.
    mistakes: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    models_added: tuple[str, ...] = ()
    models_removed: tuple[str, ...] = ()
    models_changed: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()
    #: What is risky now and was not before.
    warnings: tuple[str, ...] = ()


class Reloader:
    """Reloads the configuration of one server. Reloads come one after the other."""

    def __init__(self, running: Configuration, read: Read, prepare: Prepare) -> None:
        self._running = running
        self._read = read
        self._prepare = prepare
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Reload."""
        await self.reload()

    async def reload(self, *, dry_run: bool = False) -> ReloadReport:
        """Reload, and return what became of it. A dry run only says what would."""
        async with self._turn:
            try:
                return await self._reload(dry_run=dry_run)
            except AdapterError as fault:
                mistakes = tuple(fault.message.splitlines())
                if not dry_run:
                    log.error("config.refused", mistakes=mistakes)  # noqa: TRY400 - the mistakes are what matters
                return ReloadReport(mistakes=mistakes)

    async def _reload(self, *, dry_run: bool) -> ReloadReport:
        plan = plan_reload(self._running, await asyncio.to_thread(self._read))
        use = await self._prepare(plan.configuration)
        known = await _risks(self._running)
        new = [risk for risk in await _risks(plan.configuration) if risk not in known]
        report = ReloadReport(
            changed=plan.changed,
            models_added=plan.models_added,
            models_removed=plan.models_removed,
            models_changed=plan.models_changed,
            needs_restart=plan.needs_restart,
            warnings=tuple(f"{risk.setting}: {risk.message}" for risk in new),
        )
        if not dry_run:
            use()
            self._running = plan.configuration
            _tell(report, new)
        return report


def reload_words(server: str, report: ReloadReport, *, dry_run: bool) -> str:
    """Return a report as lines for a person."""
    if report.mistakes:
        return "\n".join([f"{server}: refused, nothing changes:", *(f"  {mistake}" for mistake in report.mistakes)])
    models = (("+", report.models_added), ("-", report.models_removed), ("~", report.models_changed))
    signed = [f"{sign}{name}" for sign, names in models for name in names]
    lines = [
        f"{server}: {'would reload' if dry_run else 'reloaded'}",
        f"  changed        {', '.join(report.changed) or 'no setting'}",
        *([f"  models         {', '.join(signed)}"] if signed else []),
        *([f"  needs restart  {', '.join(report.needs_restart)}"] if report.needs_restart else []),
        *(f"  warning        {warning}" for warning in report.warnings),
    ]
    return "\n".join(lines)


async def _risks(told: Configuration) -> Collection[Risk]:
    found = risks(told.settings, await read_machine(told.settings))
    return [*found, *key_risks(told.settings, told.catalogue)]


def _tell(report: ReloadReport, new: Collection[Risk]) -> None:
    said = {name: value for name in report.__struct_fields__ if name != "warnings" and (value := getattr(report, name))}
    log.info("config.reloaded", **said)
    for risk in new:
        log.warning("configuration.risky", setting=risk.setting, message=risk.message)
