"""Alert rules, dashboard and page of metrics: each names families that there are."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from adapter.metrics.facts import FACTS
from adapter.metrics.instruments import INSTRUMENTS
from tests.docs.code_blocks import code_blocks
from tests.support import ROOT

RULES = ROOT / "docs" / "deploy" / "prometheus-alerts.yaml"
RULE_TESTS = ROOT / "tests" / "docs" / "alerts.yaml"
DASHBOARD = json.loads((ROOT / "docs" / "deploy" / "grafana-dashboard.json").read_text())
PAGE = (ROOT / "docs" / "metrics.md").read_text()

FACT_LABELS = {"kind", "state", "turn", "version", "provider", "credential"}
#: What a query may ask for, with the labels that it has.
SERIES: dict[str, set[str]] = {f"adapter_{name}": {*FACT_LABELS} for name in FACTS}
for each in INSTRUMENTS:
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}[each.kind]
    SERIES |= {f"adapter_{each.name}{suffix}": {*each.labels} for suffix in suffixes}
#: Labels that Prometheus adds.
ADDED = {"instance", "job", "le"}

NAME = re.compile(r"\b(?:adapter|process)_[a-z_]+")
LABELS = re.compile(r"\b(adapter_[a-z_]+)\{([^}]*)\}")
BY = re.compile(r"\bby \(([^)]*)\)")


def queries() -> Iterator[tuple[str, str]]:
    """Yield every query with the name of its rule or panel."""
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        yield from ((rule["alert"], rule["expr"]) for rule in group["rules"])
    for panel in DASHBOARD["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel.get("targets", ()))


@pytest.mark.parametrize(("where", "query"), list(queries()))
def test_a_query_asks_for_series_and_labels_that_there_are(where: str, query: str) -> None:
    """A misspelt one would be silent for ever."""
    names = [name for name in NAME.findall(query) if name.startswith("adapter_")]
    used = {label.strip() for labels in BY.findall(query) for label in labels.split(",")}
    known = ADDED.union(*(SERIES.get(name, ()) for name in names))

    assert [name for name in names if name not in SERIES] == []
    assert used <= known, where
    for name, matchers in LABELS.findall(query):
        labels = set(re.findall(r"(\w+)\s*[=!]~?", matchers))
        assert labels <= SERIES[name] | ADDED, where


def test_every_family_is_shown_and_explained() -> None:
    """In the dashboard and on the page."""
    asked = " ".join(query for _, query in queries())
    families = [f"adapter_{name}" for name in (*(each.name for each in INSTRUMENTS), *FACTS)]

    assert [name for name in families if name not in asked] == []
    assert [name for name in families if name not in PAGE] == []


def test_the_panels_of_the_dashboard_do_not_cover_each_other() -> None:
    """Each has a place and an id of its own."""
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    taken = [
        (column, line)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for column in range(place["x"], place["x"] + place["w"])
        for line in range(place["y"], place["y"] + place["h"])
    ]

    assert len(ids) == len(set(ids))
    assert len(taken) == len(set(taken))
    assert max(column for column, _ in taken) == 23


def test_every_rule_says_what_is_wrong_and_what_to_do() -> None:
    """To a person who was just woken."""
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in {"critical", "warning"}
            assert {*rule["annotations"]} == {"summary", "description"}


def test_every_rule_is_seen_to_fire_and_to_be_silent() -> None:
    """By the made-up series that `promtool` gets in the test below."""
    rules = [rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    seen = [case for test in yaml.safe_load(RULE_TESTS.read_text())["tests"] for case in test["alert_rule_test"]]
    fired = {case["alertname"] for case in seen if case["exp_alerts"]}
    silent = {case["alertname"] for case in seen if not case["exp_alerts"]}

    assert fired == set(rules)
    assert silent == set(rules) - {"AdapterUpstreamFailing"}  # silent for one of the series when it fires


def test_prometheus_takes_the_rules_and_they_fire(tmp_path: Path) -> None:
    """By its own tool, with made-up series; and it takes the configuration of the page."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("there is no promtool (Debian's package prometheus has it)")
    blocks = code_blocks(ROOT / "docs" / "metrics.md")
    [configuration] = [block.code for block in blocks if "scrape_configs" in block.code]
    (tmp_path / "prometheus.yml").write_text(configuration)
    (tmp_path / RULES.name).write_text(RULES.read_text())
    (tmp_path / RULE_TESTS.name).write_text(RULE_TESTS.read_text())
    for command in (
        ("check", "rules", RULES.name),
        ("test", "rules", RULE_TESTS.name),
        ("check", "config", "--syntax-only", "prometheus.yml"),  # the file of its key is not looked for
    ):
        done = subprocess.run(
            [promtool, *command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
        )

        assert done.returncode == 0, done.stdout + done.stderr
