"""What is counted and measured: the names that the port `Metrics` takes, and the series that come of each."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

#: In seconds. A request lasts from a millisecond to a stream of an hour.
REQUEST_BUCKETS: Final = (0.005, 0.025, 0.1, 0.5, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 600.0, 3600.0)
EXECUTION_BUCKETS: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1800.0, 3600.0)
UPSTREAM_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
LAG_BUCKETS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
#: In jobs.
BATCH_BUCKETS: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One family of series."""

    #: The name that the port is told.
    source: str
    #: The name that Prometheus sees, after `adapter_`. A counter's gets `_total`.
    name: str
    kind: Literal["counter", "histogram"]
    help: str
    #: Those of the port's labels that it has. Each value is a series of its own.
    labels: Sequence[str] = ()
    #: Upper bounds of a histogram.
    buckets: Sequence[float] = ()


INSTRUMENTS: Final = (
    Instrument(
        source="request_seconds",
        name="requests",
        kind="counter",
        help="Requests of clients that are over. Status 499: the client hung up.",
        labels=("route", "method", "status"),
    ),
    Instrument(
        source="request_seconds",
        name="request_seconds",
        kind="histogram",
        help="How long requests took, streams to their end.",
        labels=("route",),
        buckets=REQUEST_BUCKETS,
    ),
    Instrument(
        source="execution_seconds",
        name="executions",
        kind="counter",
        help="Executions that are over: pictures of a request, or a job. Outcome: completed, or the code of an error.",
        labels=("provider", "model", "kind", "outcome"),
    ),
    Instrument(
        source="execution_seconds",
        name="execution_seconds",
        kind="histogram",
        help="How long executions took, from their acceptance on.",
        labels=("provider", "model", "kind"),
        buckets=EXECUTION_BUCKETS,
    ),
    Instrument(
        source="upstream_seconds",
        name="upstream_calls",
        kind="counter",
        help="Calls of providers. Outcome: ok, cancelled, or the code of an error. Credential: of calls that name one.",
        labels=("provider", "call", "credential", "outcome"),
    ),
    Instrument(
        source="upstream_seconds",
        name="upstream_seconds",
        kind="histogram",
        help="How long calls of providers took.",
        labels=("provider", "call"),
        buckets=UPSTREAM_BUCKETS,
    ),
    Instrument(
        source="credentials_set_aside",
        name="credentials_set_aside",
        kind="counter",
        help="Rests of credentials that Google refused, by the code of the refusal.",
        labels=("provider", "credential", "code"),
    ),
    Instrument(
        source="poll_batch_jobs",
        name="poll_batch_jobs",
        kind="histogram",
        help="How many jobs a provider was asked about at once.",
        labels=("provider",),
        buckets=BATCH_BUCKETS,
    ),
    Instrument(
        source="accepted_units",
        name="accepted_units",
        kind="counter",
        help="Pictures, and seconds of video, that were accepted. Owner: only with metrics.owners.",
        labels=("provider", "model", "kind", "owner"),
    ),
    Instrument(
        source="accepted_cost",
        name="accepted_cost",
        kind="counter",
        help="What accepted work costs by the price list, before it is known what the provider counts.",
        labels=("provider", "model", "currency", "owner"),
    ),
    Instrument(
        source="accepted_unpriced",
        name="accepted_unpriced",
        kind="counter",
        help="Executions that were accepted and whose cost is unknown, which is not free.",
        labels=("provider", "model", "owner"),
    ),
    Instrument(
        source="event_loop_lag_seconds",
        name="event_loop_lag_seconds",
        kind="histogram",
        help="How much later than planned the event loop came back to a timer.",
        buckets=LAG_BUCKETS,
    ),
)
