"""One project in a temporary folder for all tests that run notebooks."""

import pytest
from notebook_project import Project, make_golden_project

from spms_lib.sample import build_sample


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the sample company, as `make quarter` has it, and the smaller one of the goldens."""
    made = make_golden_project(tmp_path_factory.mktemp("project"))
    build_sample(made.root / "outputs" / "sample" / "data", sellers=80)
    return made
