"""The package as it is built and installed: once, because it takes seconds."""

import pytest

from tests.packaging.distributions import Distributions, Installation, build, install


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """The sdist of this tree, and the wheel that is built of the sdist alone."""
    return build(tmp_path_factory.mktemp("distributions"))


@pytest.fixture(scope="session")
def installation(distributions: Distributions, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel in an environment that has nothing else of ours."""
    return install(distributions.wheel, tmp_path_factory.mktemp("installation"))
