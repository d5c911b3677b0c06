"""Fixtures over a made-up project with seven tiny notebooks."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_project import Project, make_project

from spms_lib.batch import resume


@pytest.fixture(scope="session", autouse=True)
def _steady_surroundings() -> Iterator[None]:
    """No settings of this machine, and a package that is not edited while its tests run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SPMS_ROOT", "SPMS_OUT"):
            patch.delenv(name, raising=False)
        patch.setattr(resume, "hash_package", lambda: "the package as it is")
        yield


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of which nothing has run."""
    return make_project(tmp_path / "project")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose whole cycle has run, with two regions; not to be changed.

    It ran where a foreign kernel named python3, which cannot start, stands first.
    """
    project = make_project(tmp_path_factory.mktemp("finished") / "project")
    project.regions = [("dach", "DACH"), ("uk/ireland", "UK & Ireland")]
    project.overrides = {"goal_setting": {"growth_ratio": 0.25}}
    kernel = project.root.parent / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    foreign = {
        "argv": ["/nowhere/python", "{connection_file}"],
        "display_name": "foreign",
        "language": "python",
    }
    (kernel / "kernel.json").write_text(json.dumps(foreign))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_DATA_DIR", str(kernel.parents[1]))
        patch.setenv("JUPYTER_PATH", str(kernel.parents[1]))
        project.result = project.run(jobs=2)
    return project


@pytest.fixture
def again(finished: Project, tmp_path: Path) -> Project:
    """The finished project, copied to another place."""
    shutil.copytree(finished.root, tmp_path / "project")
    return replace(finished, root=tmp_path / "project", overrides=dict(finished.overrides), result=None)
