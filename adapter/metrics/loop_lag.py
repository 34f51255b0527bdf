"""How late the event loop is: the time that every request waits in vain."""

from adapter.domain.ports import Clock, Metrics

#: Between two looks, in seconds.
LOOK_SECONDS = 0.5


async def watch_loop(clock: Clock, metrics: Metrics) -> None:
    """Measure again and again, until cancelled."""
    while True:
        began = clock.now()
        await clock.sleep(LOOK_SECONDS)
        # A clock that is set back says nothing.
        metrics.observe("event_loop_lag_seconds", max(0.0, clock.now() - began - LOOK_SECONDS), {})
