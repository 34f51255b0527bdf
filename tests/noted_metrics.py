"""A port that writes down what it is told."""

from collections.abc import Mapping


class NotedMetrics:
    """Writes down names, values and labels (the port `Metrics`)."""

    def __init__(self) -> None:
        self.told: list[tuple[str, float, Mapping[str, str]]] = []

    def count(self, name: str, labels: Mapping[str, str], amount: float = 1.0) -> None:
        self.told.append((name, amount, labels))

    def observe(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        self.told.append((name, value, labels))
