"""What several tests share: the toy company, the real data beside the checkout, a sample company built once."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from spms_lib.hierarchy import Hierarchy

from toys import ROOT, TOY, table  # isort: skip

# The build tries the same few examples every time; `make soak` tries new ones, and more of them.
SOAK = "SPMS_SOAK" in os.environ
settings.register_profile(
    "house",
    deadline=None,
    max_examples=100 if SOAK else 30,
    print_blob=True,
    derandomize=not SOAK,
)
settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the files that hold a whole cycle, so that no core is left with one of them at the end."""
    long = {item.path for item in items if item.get_closest_marker("slow") or item.get_closest_marker("real")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def toy() -> Hierarchy:
    """A company of two regions and five sellers."""
    return Hierarchy.from_parent_child(table(TOY))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with data that nobody here wrote; tests that need it are skipped without it."""
    folder = Path(os.environ.get("SPMS_SHARED") or ROOT.parent / "shared")
    if not (folder / "data").is_dir():
        pytest.skip(f"no real data: set SPMS_SHARED to their folder (looked in {folder.name})")
    return folder
