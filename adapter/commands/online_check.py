"""`adapter check --online`: one free call to Google with each credential."""

from collections.abc import Sequence

from adapter.clock import SystemClock
from adapter.domain.telemetry import NoMetrics
from adapter.providers.description import AnyProvider
from adapter.providers.probe import CredentialReport
from adapter.providers.registry import BUILT_IN
from adapter.settings import Settings
from adapter.wiring import build_http, build_provider_context


async def credential_reports(
    settings: Settings, providers: Sequence[AnyProvider] = BUILT_IN
) -> list[tuple[str, CredentialReport]]:
    """Return what each credential is worth, with the name of its provider. Each is asked on its own way."""
    http, clock = build_http(settings), SystemClock()
    async with http.open():
        return [
            (each.name, report)
            for each in providers
            if each.probe is not None and (section := settings.providers.get(each.name)) is not None
            for report in await each.probe(
                section, build_provider_context(each.name, section, http, clock, NoMetrics())
            )
        ]
