"""A page of metrics as Prometheus reads it."""

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families


class MetricsText:
    """The samples of a page."""

    def __init__(self, text: str) -> None:
        self._families = list(text_string_to_metric_families(text))

    @property
    def families(self) -> Mapping[str, str]:
        """The names of the families as a query gives them, with their kinds."""
        suffix = {"counter": "_total"}
        return {each.name + suffix.get(each.type, ""): each.type for each in self._families}

    @property
    def labels(self) -> set[str]:
        """Every value of every label."""
        samples = (sample for each in self._families for sample in each.samples)
        return {value for sample in samples for value in sample.labels.values()}

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of the series of a name that have these labels; 0 if there are none."""
        samples = [sample for each in self._families for sample in each.samples if sample.name == name]
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())

    def has(self, name: str, **labels: str) -> bool:
        """Return whether there is such a series."""
        samples = (sample for each in self._families for sample in each.samples)
        return any(sample.name == name and labels.items() <= sample.labels.items() for sample in samples)
