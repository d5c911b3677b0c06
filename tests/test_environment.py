"""One environment, said once: pyproject.toml, the lock files and environment.yml agree."""

import ast
import re
import sys
import tomllib
from collections.abc import Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
REQUIRED = {"jupyterlab", "ipywidgets", "pandas", "matplotlib", "papermill", "nbval"}
RELEASED_WITH = {"pydantic-core": "pydantic"}  # not required by itself: its version follows from the other
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
URL = re.compile(r"\w+://[^\s'\"]+|--(?:index-url|extra-index-url|find-links)\b|\S+ @ \S+")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def wanted(pyproject: str, *groups: str) -> list[Requirement]:
    """Requirements that pyproject.toml states itself, with those of some dependency groups."""
    said = tomllib.loads(pyproject)
    texts = [
        *said["project"]["dependencies"],
        *(text for group in groups for text in said["dependency-groups"][group]),
    ]
    return [Requirement(text) for text in texts]


def pins(lock: str) -> list[Requirement]:
    """Lines of a lock file that pin a package, with their markers."""
    return [
        Requirement(line) for line in lock.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]


def holds_on(pin: Requirement, python: str) -> bool:
    environment = {"python_version": python, "python_full_version": f"{python}.9", "sys_platform": "linux"}
    return pin.marker is None or pin.marker.evaluate(environment)


def unpinned(pyproject: str, lock: str, python: str, *groups: str) -> list[str]:
    """Direct requirements that a lock does not pin exactly once, at a version in their range."""
    here = [pin for pin in pins(lock) if holds_on(pin, python)]
    wrong = []
    for requirement in wanted(pyproject, *groups):
        if not holds_on(requirement, python):
            continue
        name = canonicalize_name(requirement.name)
        versions = [str(pin.specifier) for pin in here if canonicalize_name(pin.name) == name]
        exact = len(versions) == 1 and versions[0].startswith("==")
        if not exact or not requirement.specifier.contains(versions[0][2:], prereleases=True):
            wrong.append(f"{requirement} is pinned as {versions or 'nothing'}")
    return wrong


def missing_pins(lock: str, larger: str) -> set[str]:
    """Pins of one lock that a larger one repeats neither word for word nor for every environment."""
    repeated = {str(pin) for pin in pins(larger)}
    return {str(pin) for pin in pins(lock) if not {str(pin), f"{pin.name}{pin.specifier}"} & repeated}


def undeclared(pyproject: str, source: str, providers: Mapping[str, list[str]]) -> set[str]:
    """Modules of other projects that a source text imports and pyproject.toml does not require by itself."""
    known = {canonicalize_name(requirement.name) for requirement in wanted(pyproject)} | {"spms-lib"}
    imported: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported.add(node.module.split(".")[0])
    distributions = {
        name: {canonicalize_name(found) for found in providers.get(name, [name])}
        for name in imported - sys.stdlib_module_names - {"spms_lib"}
    }
    return {
        name for name, found in distributions.items() if not {RELEASED_WITH.get(d, d) for d in found} & known
    }


def unexplained(pyproject: str, decision: str) -> set[str]:
    """Runtime requirements without a word in the note that says what each replaces."""
    table = {
        word
        for row in re.findall(r"^\| ([^|]+) \|", decision, flags=re.MULTILINE)
        for word in row.split(", ")
    }
    return {requirement.name for requirement in wanted(pyproject)} - table


def python_ranges(pyproject: str, environment: str) -> tuple[SpecifierSet, SpecifierSet]:
    """The Pythons that pyproject.toml and environment.yml allow."""
    parts = [part for part in yaml.safe_load(environment)["dependencies"] if isinstance(part, str)]
    python = next(Requirement(part) for part in parts if Requirement(part).name == "python")
    return SpecifierSet(tomllib.loads(pyproject)["project"]["requires-python"]), python.specifier


def pip_lines(environment: str) -> list[str]:
    """What environment.yml hands to pip."""
    parts = yaml.safe_load(environment)["dependencies"]
    return [line for part in parts if isinstance(part, dict) for line in part["pip"]]


def indexes(text: str) -> list[str]:
    """Package indexes and addresses that a text names."""
    return [match.group() for match in URL.finditer(text)]


def python_floor(makefile: str) -> str:
    match = re.search(r"^PYTHON_FLOOR := (\S+)$", makefile, flags=re.MULTILINE)
    assert match, "the Makefile does not say PYTHON_FLOOR"
    return match[1]


def undocumented_targets(makefile: str) -> set[str]:
    """Targets that `make help` cannot explain."""
    phony = re.search(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)
    assert phony, "the Makefile has no .PHONY line"
    told = set(re.findall(r"^([a-z]+):.*## \S", makefile, flags=re.MULTILINE))
    return set(phony[1].split()) - told - {"FORCE"}


@pytest.mark.parametrize("python", PYTHONS)
def test_every_direct_requirement_is_pinned_in_its_range(python: str) -> None:
    assert unpinned(read("pyproject.toml"), read("requirements.lock"), python, "build") == []
    assert unpinned(read("pyproject.toml"), read("requirements-dev.lock"), python, "build", "dev") == []


def test_a_requirement_that_is_not_pinned_or_out_of_range_is_caught() -> None:
    pyproject = '[project]\ndependencies = ["pandas>=3.0", "typer", "rich>=13"]\n[dependency-groups]\ndev = ["pytest"]'
    lock = "pandas==2.9\n    # via spms\ntyper==1.0 ; python_version < '3.12'\nrich==14.0\n"
    assert unpinned(pyproject, lock, "3.11") == ["pandas>=3.0 is pinned as ['==2.9']"]
    assert unpinned(pyproject, lock, "3.12")[1:] == ["typer is pinned as nothing"]
    assert unpinned(pyproject, lock, "3.11", "dev")[1:] == ["pytest is pinned as nothing"]


def test_a_requirement_of_some_pythons_is_pinned_for_those() -> None:
    pyproject = """[project]\ndependencies = ["old>=1; python_version < '3.13'"]"""
    assert unpinned(pyproject, "", "3.13") == []
    assert len(unpinned(pyproject, "", "3.12")) == 1
    assert len(unpinned(pyproject, "old==1.0 ; python_full_version >= '3.13'\n", "3.12")) == 1


def test_developers_run_the_versions_that_users_run() -> None:
    assert missing_pins(read("requirements.lock"), read("requirements-dev.lock")) == set()


def test_a_developer_pin_that_differs_is_caught() -> None:
    assert missing_pins("pandas==3.1.1\nrich==14.0\n", "pandas==3.1.2\nrich==14.0\npytest==9\n") == {
        "pandas==3.1.1"
    }


def test_a_developer_pin_may_hold_in_more_places_but_not_in_fewer() -> None:
    some, every = "narwhals==2.0 ; python_version < '3.13'\n", "narwhals==2.0\n"
    assert missing_pins(some, every) == set()
    assert missing_pins(every, some) == {"narwhals==2.0"}
    assert len(missing_pins(some, "narwhals==2.1\n")) == 1


def test_conda_pip_and_make_allow_the_same_pythons() -> None:
    ours, condas = python_ranges(read("pyproject.toml"), read("environment.yml"))
    assert ours == condas == SpecifierSet(f">={python_floor(read('Makefile'))}")


def test_a_conda_environment_with_another_python_is_caught() -> None:
    ours, condas = python_ranges(
        read("pyproject.toml"), read("environment.yml").replace("python>=3.11", "python>=3.10")
    )
    assert ours != condas


def test_conda_installs_the_lock_and_then_this_folder() -> None:
    assert pip_lines(read("environment.yml")) == ["-r requirements.lock", "-e ."]


def test_a_conda_environment_with_pins_of_its_own_is_caught() -> None:
    assert pip_lines("dependencies:\n  - pip:\n      - pandas==3.0\n") == ["pandas==3.0"]


def test_the_required_six_are_direct_requirements() -> None:
    assert {requirement.name for requirement in wanted(read("pyproject.toml"))} >= REQUIRED


def test_every_import_of_the_package_is_a_direct_requirement() -> None:
    providers = packages_distributions()
    sources = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "spms_lib").rglob("*.py")}
    found = {name: undeclared(read("pyproject.toml"), read(name), providers) for name in sources}
    assert {name: modules for name, modules in found.items() if modules} == {}


def test_an_import_that_nobody_requires_is_caught() -> None:
    pyproject = '[project]\ndependencies = ["PyYAML", "pydantic"]\n'
    source = "import os, yaml, pydantic_core\ndef f():\n    from PIL.Image import open\n"
    providers = {"yaml": ["PyYAML"], "PIL": ["pillow"], "pydantic_core": ["pydantic_core"]}
    assert undeclared(pyproject, source, providers) == {"PIL"}


def test_every_requirement_says_what_it_replaces() -> None:
    assert (
        unexplained(read("pyproject.toml"), read("docs/decisions/0002-libraries-instead-of-own-code.md"))
        == set()
    )


def test_a_requirement_without_a_reason_is_caught() -> None:
    assert unexplained(
        '[project]\ndependencies = ["rich>=13", "tqdm"]', "| typer, rich | the command line |"
    ) == {"tqdm"}


def test_the_build_group_is_the_build_requirement() -> None:
    """The editable install runs without build isolation, so its builder must be in the lock."""
    said = tomllib.loads(read("pyproject.toml"))
    assert said["dependency-groups"]["build"] == said["build-system"]["requires"]


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-dev.lock", "environment.yml", "Makefile", ".ci/run"]
)
def test_no_package_index_is_named(name: str) -> None:
    assert indexes(read(name)) == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://packages.example/simple",
        "pandas @ file:///tmp/pandas.whl",
        "    # from http://packages.example",
        "--find-links /opt/wheels",
    ],
)
def test_a_named_package_index_is_caught(line: str) -> None:
    assert indexes(f"pandas==3.1.1\n{line}\n")


def test_make_help_explains_every_target() -> None:
    assert undocumented_targets(read("Makefile")) == set()


def test_a_target_without_an_explanation_is_caught() -> None:
    assert undocumented_targets(".PHONY: help soak\nhelp: ## List the targets\nsoak:\n\techo\n") == {"soak"}
