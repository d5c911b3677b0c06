"""Compensation plans come from files: mistakes with their lines, one version a day, a hash of what they say."""

import datetime as dt
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spms_lib.cli import app
from spms_lib.errors import ParamsError, PlanError
from spms_lib.incentives.plan.hashed import plan_hash
from spms_lib.incentives.plan.versions import plan_at
from spms_lib.params.plans import load_plan, load_plans

from plan_documents import SOUND, changed  # isort: skip
from toys import ROOT  # isort: skip

TEN_MISTAKES = """\
plan: account_executive
version: "2026.1"
currency: EUX
effective_from: 2026-02-30
mesures:
  bookings: {value: amount}
components:
  - component: new_business
    weight: "70 %"
    measure: booking
    interval: quarter
    unit: attainment
    pays: target_incentive
    tiers:
      - {from: 0, to: "90 %", value: 0.8}
      - {from: "95 %", to: "100 %", value: much}
      - {from: "100 %", to: "80 %", value: 1.5}
    cap: 0
  - component: services
    weight: 20
    measure: bookings
    interval: quarter
    unit: attainment
    pays: rate
    tie: upper
    tiers: [[0, null, "2 %"]]
"""


def test_a_plan_with_ten_mistakes_gives_ten_messages_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(TEN_MISTAKES, encoding="utf-8")
    with pytest.raises(PlanError) as refusal:
        load_plan(path)
    count, *messages = refusal.value.what.splitlines()
    assert count == "10 mistakes."
    expected = [
        (3, "EUX"),
        (4, "'2026-02-30' is not a day"),
        (5, "Did you mean 'measures'?"),
        (8, "'tie' is not stated"),
        (10, "There is no measure 'booking'"),
        (16, "a gap from 90 % to 95 %"),
        (16, "'much' is not a number"),
        (17, "inverted: from 100 % to 80 %"),
        (18, "The cap 0 is not positive"),
        (20, "20 means 2,000 %"),
    ]
    lines = [int(re.match(r"line (\d+), ", message)[1]) for message in messages]  # type: ignore[index]
    assert lines == [line for line, _ in expected]
    for line, words in expected:
        assert any(message.startswith(f"line {line},") and words in message for message in messages), words


def test_the_example_plans_pay_what_the_plan_before_them_paid() -> None:
    for currency in ("eur", "usd"):
        plan = load_plan(ROOT / f"params/plans/account_executive_{currency}.yaml")
        component = plan.components["new_business"]
        assert component.curve is not None
        assert [(str(tier.start), str(tier.value)) for tier in component.curve.tiers] == [
            ("0", "4/5"),
            ("9/10", "14/5"),
            ("1", "3/2"),
            ("6/5", "2"),
        ]
        assert (plan.currency, component.interval) == (currency.upper(), "quarter")


def test_the_hash_is_of_what_a_plan_says_and_not_of_how_it_is_written(tmp_path: Path) -> None:
    def hashed(text: str) -> str:
        (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
        return plan_hash(load_plan(tmp_path / "plan.yaml"))

    first = hashed(SOUND)
    assert hashed("# a comment\n" + SOUND) == first
    assert hashed(changed('"90 %", value: 0.8', '9/10, value: "80 %"')) == first
    assert hashed(changed("currency: EUR\n", "") + "currency: EUR\n") == first
    assert hashed(changed("value: 2.8", "value: 2.9")) != first
    assert hashed(changed("pays_to: 2026-06-30", "pays_to: 2026-06-29")) != first
    assert hashed(SOUND + "payment: {paid: month}\n") != first


def _folder(tmp_path: Path, *texts: str) -> Path:
    for number, text in enumerate(texts):
        (tmp_path / f"plan_{number}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


LATER = SOUND.replace("2026", "2028")


def test_exactly_one_version_holds_on_a_day(tmp_path: Path) -> None:
    plans = load_plans(_folder(tmp_path, SOUND, LATER))
    assert plan_at(plans, "account_executive", dt.date(2026, 12, 31)).version == "2026.1"
    assert plan_at(plans, "account_executive", dt.date(2028, 1, 1)).version == "2028.1"
    with pytest.raises(PlanError, match=r"No version holds on 2027-10-01; the nearest: '2028.1'"):
        plan_at(plans, "account_executive", dt.date(2027, 10, 1))
    with pytest.raises(PlanError, match="Did you mean 'account_executive'"):
        plan_at(plans, "account_executives", dt.date(2026, 1, 1))
    with pytest.raises(PlanError, match="Two versions hold on 2026-03-01"):
        plan_at([plans[0], plans[0]], "account_executive", dt.date(2026, 3, 1))


def test_a_version_without_an_end_holds_until_the_next_one_starts(tmp_path: Path) -> None:
    plans = load_plans(_folder(tmp_path, changed("effective_to: 2026-12-31\n", ""), LATER))
    assert plan_at(plans, "account_executive", dt.date(2027, 10, 1)).version == "2026.1"
    assert plan_at(plans, "account_executive", dt.date(2028, 1, 1)).version == "2028.1"


def test_a_folder_is_refused_with_the_mistakes_of_all_its_files(tmp_path: Path) -> None:
    folder = _folder(tmp_path, changed("EUR", "EUX"), SOUND, changed("value: 2.8", "value: x"))
    with pytest.raises(PlanError, match=r"(?s)plan_0.yaml, line 4.*plan_2.yaml, line 24"):
        load_plans(folder)


def test_two_versions_on_one_day_are_refused_by_the_name_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"plan_1.yaml: .*both hold on 2026-01-01"):
        load_plans(_folder(tmp_path, SOUND, SOUND))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="no such file"):
        load_plan(tmp_path / "none.yaml")


def test_the_command_checks_files_and_ends_with_1_where_there_is_a_mistake(tmp_path: Path) -> None:
    folder = _folder(tmp_path, SOUND, TEN_MISTAKES, LATER, LATER)
    run = CliRunner()
    good = run.invoke(app, ["plan", "check", str(folder / "plan_0.yaml"), str(folder / "plan_2.yaml")])
    assert (good.exit_code, good.output.count("no mistakes")) == (0, 2)
    bad = run.invoke(app, ["plan", "check", str(folder / "plan_0.yaml"), str(folder / "plan_1.yaml")])
    assert bad.exit_code == 1
    assert "no mistakes" in bad.output
    assert "line 16, components 1.tiers 2.value: 'much' is not a number" in bad.output
    clash = run.invoke(app, ["plan", "check", str(folder / "plan_2.yaml"), str(folder / "plan_3.yaml")])
    assert clash.exit_code == 1
    assert "both hold on 2028-01-01" in clash.output


def test_the_further_blocks_are_checked_with_the_plan_each_mistake_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(
        SOUND.rstrip("\n")
        + """
crediting:
  credit_types: {revenue: {kind: shared}}
payment:
  paid: weekly
  draw: {type: recoverable, minimum: 100}
forecast_incentive: {scheme: gonik, statistic: mean, standard: 100}
awards: {club: 1}
""",
        encoding="utf-8",
    )
    first = SOUND.rstrip("\n").count("\n") + 2
    with pytest.raises(PlanError) as refusal:
        load_plan(path)
    told = refusal.value.what
    for line, words in (
        (first + 1, "shared"),
        (first + 3, "weekly"),
        (first + 5, "mean"),
        (first + 6, "not a list"),
    ):
        assert re.search(rf"line {line}, .*{words}", told), (line, words, told)
