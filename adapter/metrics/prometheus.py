"""The library of Prometheus: series in memory, and the page that Prometheus reads. The only module that imports it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from adapter.metrics.facts import FACTS, Fact
from adapter.metrics.instruments import INSTRUMENTS, Instrument

log = structlog.get_logger()

PREFIX: Final = "adapter"
#: A label has so many values at most; a further one is counted as `OTHER`. So a client that makes values up costs
#: no more memory than that.
MOST_VALUES: Final = 200
OTHER: Final = "other"


class PrometheusMetrics:
    """Series by name and labels (the port `Metrics`). Any thread may call it."""

    def __init__(self) -> None:
        # A series beside each counter that says since when it counts: Prometheus sees that by itself.
        disable_created_metrics()  # type: ignore[no-untyped-call] # comes without types
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._series: dict[str, list[_Series]] = {}
        for each in INSTRUMENTS:
            self._series.setdefault(each.source, []).append(_Series(each, self._registry))
        self._unknown: set[str] = set()

    def count(self, name: str, labels: Mapping[str, str], amount: float = 1.0) -> None:
        """Add to a counter (the port of that name)."""
        self._tell(name, amount, labels)

    def observe(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """Add a value (the port of that name)."""
        self._tell(name, value, labels)

    def _tell(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        for series in self._series.get(name, ()):
            series.tell(value, labels)
        if name not in self._series and name not in self._unknown:
            self._unknown.add(name)
            log.warning("metrics.unknown", name=name)

    def write(self, facts: Iterable[Fact]) -> bytes:
        """Return the page in Prometheus's text format, with facts that were read just now."""
        return generate_latest(_Page(self._registry, _families(facts)))


class _Series:
    """One family, and what its port's calls do to it."""

    def __init__(self, told: Instrument, registry: CollectorRegistry) -> None:
        self._labels = told.labels
        #: The values of each label that were seen.
        self._values: Sequence[set[str]] = [set() for _ in told.labels]
        self._tellers: dict[tuple[str, ...], Callable[[float], None]] = {}
        self._teller = _teller(told, registry)
        #: A counter of durations counts them; any other takes the amount.
        self._counts_calls = told.kind == "counter" and told.source.endswith("_seconds")

    def tell(self, value: float, labels: Mapping[str, str]) -> None:
        """Take a value."""
        key = tuple(labels.get(name, "") for name in self._labels)
        teller = self._tellers.get(key)
        if teller is None:
            key = tuple(self._bounded(seen, value) for seen, value in zip(self._values, key, strict=True))
            teller = self._tellers[key] = self._teller(key)
        teller(1.0 if self._counts_calls else value)

    @staticmethod
    def _bounded(seen: set[str], value: str) -> str:
        if value in seen or len(seen) < MOST_VALUES:
            seen.add(value)
            return value
        return OTHER


def _teller(told: Instrument, registry: CollectorRegistry) -> Callable[[Sequence[str]], Callable[[float], None]]:
    """Return what makes the series of some labels, as a function that takes values."""
    name = f"{PREFIX}_{told.name}"
    match told.kind:
        case "counter":
            counter = Counter(name, told.help, told.labels, registry=registry)
            return lambda key: (counter.labels(*key) if key else counter).inc
        case "histogram":
            histogram = Histogram(name, told.help, told.labels, registry=registry, buckets=told.buckets)
            return lambda key: (histogram.labels(*key) if key else histogram).observe


def _families(facts: Iterable[Fact]) -> Sequence[Metric]:
    """Return facts as the library's families."""
    made: dict[str, GaugeMetricFamily] = {}
    for fact in facts:
        if fact.family not in made:
            made[fact.family] = GaugeMetricFamily(
                f"{PREFIX}_{fact.family}", FACTS[fact.family], labels=list(fact.labels)
            )
        made[fact.family].add_metric(list(fact.labels.values()), fact.value)
    return list(made.values())


class _Page:
    """What was counted, and what was read just now (the library's `Collector`)."""

    def __init__(self, counted: CollectorRegistry, read: Sequence[Metric]) -> None:
        self._counted = counted
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Yield both (the library's method of that name)."""
        yield from self._counted.collect()
        yield from self._read
