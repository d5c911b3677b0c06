"""Baselines of a cycle: computed once per content, never read for other content, damaged files noticed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spms_lib.calendar import FiscalCalendar
from spms_lib.cycle import baselines as module
from spms_lib.cycle import evidence
from spms_lib.cycle.baselines import (
    PARTS,
    SUMS,
    Kept,
    baseline_values,
    cache_folder,
    desk_baselines,
    kept_baselines,
    past_baselines,
)
from spms_lib.goals.baseline import baseline
from spms_lib.goals.baselines import statistical_baseline

from firms import everything  # isort: skip

pytest.importorskip("statsforecast", reason="statsforecast exists for Python 3.11 and 3.12 only")

YEAR = FiscalCalendar()
MONTHS = ["2023-01", "2023-02", "2023-03"]
QUICK = ("year_mean", "naive", "seasonal_naive")
FRAMES = ("forecast", "deviation", "lower", "upper", "choice", "errors", "residuals")


def history() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    values = rng.lognormal(9, 0.2, (4, 36)) * np.array([[1.0], [3.0], [9.0], [1.0]])
    frame = pd.DataFrame(values, ["a", "b", "c", "ghost"], YEAR.range("2020-01", "2022-12"))
    frame.loc["ghost"] = np.nan
    frame.loc["b", "2020-01":"2021-06"] = np.nan
    return frame


def ask(folder: Path | None, frame: pd.DataFrame | None = None, **more) -> Kept:
    settings = {"models": QUICK, "windows": 2, **more}
    months = settings.pop("months", MONTHS)
    calendar = settings.pop("calendar", YEAR)
    return kept_baselines(history() if frame is None else frame, months, calendar, folder, **settings)


def assert_same(one: Kept, other: Kept) -> None:
    for name in FRAMES:
        pd.testing.assert_frame_equal(
            getattr(one.baselines, name), getattr(other.baselines, name), rtol=0, atol=0
        )


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def test_the_second_time_the_same_content_is_read_and_says_the_same(tmp_path, monkeypatch) -> None:
    first = ask(tmp_path)
    monkeypatch.setattr(module, "statistical_baseline", None)  # nobody computes any more
    second = ask(tmp_path)
    assert (first.origin, second.origin) == ("computed", "cache")
    assert (first.note, second.note) == ("", "")
    assert_same(first, second)
    assert len(files(tmp_path)) == len(PARTS) + 1


def test_what_is_kept_is_what_was_computed(tmp_path) -> None:
    kept, plain = (
        ask(tmp_path).baselines,
        statistical_baseline(history(), MONTHS, YEAR, models=QUICK, windows=2),
    )
    for name in FRAMES:
        pd.testing.assert_frame_equal(
            getattr(kept, name), getattr(plain, name), check_dtype=False, check_index_type=False
        )
    assert kept.forecast.loc["ghost"].isna().all()
    assert kept.choice.set_index("node")["model"].isna().to_dict() == {
        "a": False,
        "b": False,
        "c": False,
        "ghost": True,
    }


def changed() -> pd.DataFrame:
    other = history()
    other.iloc[0, 0] += 1e-6
    return other


@pytest.mark.parametrize(
    ("frame", "more"),
    [
        (changed, {}),
        (lambda: history().rename(index={"a": "z"}), {}),
        (lambda: history().fillna(0.0), {}),
        (lambda: history().iloc[::-1], {}),
        (history, {"months": ["2023-02", "2023-03", "2023-04"]}),
        (history, {"calendar": FiscalCalendar(start_month=7)}),
        (history, {"models": (*QUICK, "mean")}),
        (history, {"interval": 0.9}),
        (history, {"windows": 3}),
        (history, {"prior_windows": 0.0}),
        (history, {"margin": 0.0}),
        (history, {"levels": pd.Series({"a": "seller", "b": "seller", "c": "team", "ghost": "seller"})}),
        (history, {"backend": "native"}),
    ],
)
def test_other_content_or_settings_are_never_read_from_the_cache(tmp_path, frame, more) -> None:
    ask(tmp_path)
    assert ask(tmp_path, frame(), **more).origin == "computed"
    assert len(files(tmp_path)) == 2 * (len(PARTS) + 1)
    assert ask(tmp_path).origin == "cache"


def test_a_new_version_of_the_library_or_of_our_method_is_other_content(tmp_path, monkeypatch) -> None:
    ask(tmp_path)
    for name, value in (("CONTENT_VERSION", 10**6), ("statsforecast_version", lambda: "99.0")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, value)
            assert ask(tmp_path).origin == "computed"
    assert ask(tmp_path).origin == "cache"


def test_how_the_work_was_spread_is_no_content(tmp_path) -> None:
    one = ask(tmp_path / "one")
    two = ask(tmp_path / "two", n_jobs=2)
    assert [path.name for path in files(tmp_path / "one")] == [path.name for path in files(tmp_path / "two")]
    assert_same(one, two)
    assert [p.read_bytes() for p in files(tmp_path / "one")] == [
        p.read_bytes() for p in files(tmp_path / "two")
    ]


@pytest.mark.parametrize(
    ("part", "how"),
    [(0, "empty"), (1, "cut"), (2, "text"), (3, "flipped"), (4, "cut"), (4, "text")],
)
def test_a_damaged_file_is_noticed_computed_anew_and_replaced(tmp_path, part: int, how: str) -> None:
    first = ask(tmp_path)
    path = files(tmp_path)[part]
    content = path.read_bytes()
    damaged = {
        "empty": b"",
        "cut": content[: len(content) // 2],
        "text": b"not a table",
        "flipped": content[:10] + bytes([content[10] ^ 0xFF]) + content[11:],
    }
    path.write_bytes(damaged[how])
    again = ask(tmp_path)
    assert again.origin == "computed"
    assert SUMS in again.note
    assert_same(first, again)
    assert path.read_bytes() == content
    assert ask(tmp_path).origin == "cache"


def test_no_byte_that_changed_on_the_disk_changes_what_is_said(tmp_path) -> None:
    first = ask(tmp_path)
    for path in files(tmp_path):
        content = path.read_bytes()
        for place in range(5, len(content), len(content) // 4):
            path.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
            assert_same(first, ask(tmp_path))


def test_a_file_of_other_content_under_this_name_is_not_believed(tmp_path) -> None:
    mine, others = tmp_path / "mine", tmp_path / "others"
    first = ask(mine)
    ask(others, changed())
    for here, there in zip(files(mine), files(others), strict=True):
        here.write_bytes(there.read_bytes())
    again = ask(mine)
    assert again.origin == "computed"
    assert "of other content" in again.note
    assert_same(first, again)


def test_an_entry_that_lacks_a_part_is_computed_anew(tmp_path) -> None:
    ask(tmp_path)
    files(tmp_path)[2].unlink()
    again = ask(tmp_path)
    assert again.origin == "computed"
    assert "cannot be read" in again.note
    assert ask(tmp_path).origin == "cache"


def test_a_run_that_dies_while_writing_leaves_nothing_that_could_be_read(tmp_path, monkeypatch) -> None:
    class Dying:
        def __init__(self, *args, **more) -> None:
            self.file = made(*args, **more)
            self.name = self.file.name

        def __enter__(self):
            return self

        def __exit__(self, *args) -> None:
            self.file.close()

        def write(self, content: bytes) -> None:
            self.file.write(content[:10])
            raise KeyboardInterrupt

    made = module.tempfile.NamedTemporaryFile
    with monkeypatch.context() as patch:
        patch.setattr(module.tempfile, "NamedTemporaryFile", Dying)
        with pytest.raises(KeyboardInterrupt):
            ask(tmp_path)
    assert not list(tmp_path.glob("*"))
    assert ask(tmp_path).origin == "computed"


def test_without_a_folder_nothing_is_kept(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ask(None).origin == "computed"
    assert not list(tmp_path.iterdir())


# -- the company -------------------------------------------------------------------------------------


def test_a_cycle_keeps_its_baselines_beside_its_ledger_and_reads_them_the_next_time(fresh) -> None:
    desk = fresh()
    first, second = (desk_baselines(desk, models=QUICK) for _ in range(2))
    assert (first.origin, second.origin) == ("computed", "cache")
    assert cache_folder(desk) == desk.root / "outputs" / "acme" / "cache"
    assert first.baselines.forecast.index.tolist() == desk.tree.nodes.tolist()
    assert first.baselines.forecast.columns.tolist() == desk.months
    assert_same(first, second)
    assert desk_baselines(desk, models=QUICK, cache=False).origin == "computed"


def test_the_house_is_the_default_and_auto_is_asked_for_by_name(fresh) -> None:
    desk = fresh()
    house = baseline(desk.history(), desk.months, desk.calendar)
    pd.testing.assert_frame_equal(baseline_values(desk), house)
    auto = baseline_values(asking_auto(desk), models=QUICK, windows=2)
    assert auto.shape == house.shape
    assert auto.notna().equals(house.notna())


def test_where_auto_is_chosen_it_is_also_what_the_past_is_judged_by(fresh, monkeypatch) -> None:
    asked = []

    def spy(desk, quarters):
        asked.append(quarters)
        return past_baselines(desk, quarters, models=QUICK, windows=2)

    monkeypatch.setattr(evidence, "past_baselines", spy)
    desk = asking_auto(fresh())
    past = evidence.past_forecasts(desk, quarters=2)
    mine = past[past["source"] == "baseline"].set_index(["node", "period"])["value"]
    auto = spy(desk, asked[0]).set_index(["node", "period"])["value"]
    assert mine.loc[auto.index].tolist() == auto.tolist()
    assert not past.duplicated(["node", "period", "source"]).any()


def asking_auto(desk):
    return replace(desk, params=desk.params.model_copy(update={"baseline": "auto"}))


def test_the_past_is_forecast_from_what_came_before_it(fresh) -> None:
    desk = fresh()
    rows = past_baselines(desk, ["2025Q4", "2026Q1"], models=QUICK, windows=2)
    assert rows["source"].unique().tolist() == ["auto"]
    assert not rows.duplicated(["node", "period"]).any()
    known = desk.history().loc[:, :"2025-09"]
    months = ["2025-10", "2025-11", "2025-12"]
    direct = statistical_baseline(
        known, months, desk.calendar, levels=desk.tree.level, models=QUICK, windows=2
    )
    mine = rows[(rows["node"] == "anna") & rows["period"].isin(months)]["value"]
    assert mine.tolist() == pytest.approx(direct.forecast.loc["anna"].tolist())


def test_a_company_without_a_past_has_empty_rows_and_missing_forecasts(opened) -> None:
    sold = everything()["transactions"]
    desk = opened(transactions=sold[sold["date"] >= "2026-04"], targets=None, submissions=None)
    assert past_baselines(desk, ["2025Q4"], models=QUICK).empty
    assert baseline_values(asking_auto(desk), models=QUICK).isna().all(axis=None)
