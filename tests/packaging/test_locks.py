"""The locks hold all that is needed, on every Python and system that we install on."""

import re
from importlib.metadata import distributions

import pytest
from packaging.utils import canonicalize_name

from tests.packaging.locks import PYTHONS, SYSTEMS, Closure, asked_for, environment, locked
from tests.support import ROOT

#: Each lock and the extras of `pyproject.toml` that it is made of.
LOCKS = {
    "requirements.lock": (),
    "requirements-vertex.lock": ("vertex",),
    "requirements-traces.lock": ("traces",),
    "requirements-dev.lock": ("dev",),
}


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_everything_that_is_required(lock: str, python: str, system: str) -> None:
    """With the extras by which packages ask for each other: nothing is looked up when it is installed."""
    closure = Closure(locked(lock), environment(python, system))
    closure.follow(asked_for(*LOCKS[lock]), asked_by="pyproject.toml")

    assert closure.missing == []


def test_what_runs_is_tested_in_the_same_versions() -> None:
    """A package of the one lock has the same version in the others."""
    runs, *with_extras, tested = ({f"{line.name}{line.specifier}" for line in locked(lock)} for lock in LOCKS)

    for with_extra in with_extras:
        assert runs - with_extra == with_extra - tested == set()


def test_what_google_cloud_and_traces_need_is_installed_for_them_alone() -> None:
    """Who does not use them has none of it."""
    names = {canonicalize_name(line.name) for line in locked("requirements.lock")}

    assert names & {"google-auth", "cryptography", "requests", "opentelemetry-sdk", "protobuf"} == set()


def test_the_tests_run_with_what_is_locked() -> None:
    """Else the test above reads the requirements of other versions."""
    versions = {canonicalize_name(line.name): str(line.specifier) for line in locked("requirements-dev.lock")}
    found = {canonicalize_name(each.name): f"=={each.version}" for each in distributions()}

    assert {name: found[name] for name in versions if name in found and found[name] != versions[name]} == {}


NODE_LOCKS = ("tests/journeys/node/package-lock.json", "tests/e2e/node/package-lock.json")


@pytest.mark.parametrize("lock", [*LOCKS, "requirements-openai-1.lock", *NODE_LOCKS])
def test_a_lock_names_no_address(lock: str) -> None:
    """Each machine has its own index."""
    text = (ROOT / lock).read_text()

    assert not re.search(r"://|^\s*-(i|f|-index|-find|-extra)", text, re.MULTILINE)
