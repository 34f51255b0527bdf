"""Series of the library: what one call of the port comes to, and how many there may be."""

import ast
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from adapter.metrics.facts import FACTS, Fact
from adapter.metrics.instruments import INSTRUMENTS
from adapter.metrics.prometheus import MOST_VALUES, PrometheusMetrics
from tests.metric_pages import MetricsText
from tests.support import ROOT


@pytest.fixture
def metrics() -> Iterator[PrometheusMetrics]:
    """Metrics that nothing was counted by. Nothing unknown is counted."""
    with capture_logs() as logs:
        yield PrometheusMetrics()
    assert [line for line in logs if line["event"] == "metrics.unknown"] == []


def read(metrics: PrometheusMetrics, *facts: Fact) -> MetricsText:
    """Return the page."""
    return MetricsText(metrics.write(facts).decode())


def test_a_duration_is_counted_and_measured(metrics: PrometheusMetrics) -> None:
    """By all labels, and by a few."""
    for seconds, status in ((1.0, "200"), (3.0, "502")):
        labels = {"route": "/v1/videos", "method": "POST", "status": status}
        metrics.observe("request_seconds", seconds, labels)
    page = read(metrics)

    assert page.value("adapter_requests_total", status="502") == 1
    assert page.value("adapter_request_seconds_count", route="/v1/videos") == 2
    assert page.value("adapter_request_seconds_sum", route="/v1/videos") == 4.0
    assert page.value("adapter_request_seconds_bucket", le="2.0") == 1
    assert not page.has("adapter_request_seconds_count", status="200")


def test_an_amount_is_added(metrics: PrometheusMetrics) -> None:
    """A counter has the sum."""
    metrics.count("accepted_units", {"provider": "toy"}, 4)
    metrics.count("accepted_units", {"provider": "toy"}, 2)
    page = read(metrics)

    assert page.value("adapter_accepted_units_total", provider="toy") == 6


def test_a_label_has_no_more_values_than_memory_is_meant_for(metrics: PrometheusMetrics) -> None:
    """Further ones are counted together; those that are known stay apart."""
    for number in range(MOST_VALUES + 50):
        metrics.count("accepted_units", {"model": f"m{number}"})
    metrics.count("accepted_units", {"model": "m0"})
    page = read(metrics)

    assert page.value("adapter_accepted_units_total", model="other") == 50
    assert page.value("adapter_accepted_units_total", model="m0") == 2
    assert not page.has("adapter_accepted_units_total", model=f"m{MOST_VALUES}")


def test_facts_stand_beside_what_was_counted(metrics: PrometheusMetrics) -> None:
    """A fact of the same family has the other labels."""
    page = read(metrics, Fact("jobs", 2, {"kind": "video"}), Fact("jobs", 3, {"kind": "image"}))

    assert page.value("adapter_jobs", kind="video") == 2
    assert page.value("adapter_jobs", kind="image") == 3
    assert page.has("adapter_event_loop_lag_seconds_count")


def test_every_family_has_one_name_and_no_series_of_times(metrics: PrometheusMetrics) -> None:
    """`_created` would be a series more for each counter."""
    metrics.count("accepted_units", {"provider": "toy"})
    names = [*(each.name for each in INSTRUMENTS), *FACTS]

    assert len(names) == len(set(names))
    assert not read(metrics).has("adapter_accepted_units_created")


def names_told() -> Iterator[str]:
    """Yield the names that the program tells the port, as they are written."""
    for path in (ROOT / "adapter").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(
                        attr="count" | "observe" | "set",
                        value=ast.Attribute(attr="metrics" | "_metrics") | ast.Name(id="metrics"),
                    ),
                    args=[ast.Constant(value=str(name)), *_],
                ):
                    yield name


def test_every_name_that_the_program_tells_feeds_a_family() -> None:
    """And every family is fed."""
    assert {*names_told()} == {each.source for each in INSTRUMENTS}


def test_a_name_that_is_not_known_is_logged_once_and_fails_nothing() -> None:
    """A metric never ends the work that it measures."""
    metrics = PrometheusMetrics()
    with capture_logs() as logs:
        for _ in range(2):
            metrics.count("nothing_of_ours", {})

    assert [(line["event"], line["name"]) for line in logs] == [("metrics.unknown", "nothing_of_ours")]
