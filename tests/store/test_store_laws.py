"""Laws of the ledger, for any sequence of commits."""

import datetime as dt

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.store.ledger import Ledger

PAYLOAD = ["node", "period", "measure", "item", "value", "unit", "text"]
START = dt.datetime(2026, 1, 1)

keys = st.tuples(st.sampled_from(["north", "süd", "日本"]), st.sampled_from(["2026-01", "2026Q1"]))
payloads = st.one_of(
    st.just("withdrawn"),
    st.tuples(
        st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
        st.sampled_from(["", "EUR"]),
        st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)),
    ),
)
batches = st.lists(st.dictionaries(keys, payloads, min_size=1, max_size=6), min_size=1, max_size=6)
few = settings(max_examples=12, deadline=None)


def cells_of(batch):
    rows = [
        (*key, *((None, "", None, True) if payload == "withdrawn" else (*payload, False)))
        for key, payload in batch.items()
    ]
    frame = pd.DataFrame(rows, columns=["node", "period", "value", "unit", "text", "withdrawn"])
    values = pd.Series([row[2] for row in rows], dtype=object)
    return frame.assign(
        measure="revenue", value=values, text=pd.Series([row[4] for row in rows], dtype=object)
    )


def commit(ledger, batch, number):
    at = START + dt.timedelta(minutes=number)
    return ledger.commit("plan", cells_of(batch), author="Ada", message=str(number), at=at)


def as_dictionary(state):
    plain = state[["value", "unit", "text"]].astype(object)
    rows = plain.where(plain.notna(), None).itertuples(index=False, name=None)
    return dict(zip(zip(state["node"], state["period"], strict=True), rows, strict=True))


@few
@given(batches=batches)
def test_the_state_is_what_a_dictionary_would_hold(batches):
    expected = {}
    with Ledger.open("sqlite://") as ledger:
        for number, batch in enumerate(batches):
            stored = commit(ledger, batch, number)
            before = dict(expected)
            for key, payload in batch.items():
                if payload == "withdrawn":
                    expected.pop(key, None)
                else:
                    expected[key] = payload
            assert (stored is None) == (expected == before)
            assert as_dictionary(ledger.state("plan")) == expected
        assert ledger.verify().empty


@few
@given(batches=batches)
def test_replaying_to_any_time_or_commit_shows_the_state_recorded_then(batches):
    recorded = []
    with Ledger.open("sqlite://") as ledger:
        for number, batch in enumerate(batches):
            made = commit(ledger, batch, number)
            if made is not None:
                recorded.append((made, ledger.state("plan")))
        for made, state in recorded:
            pd.testing.assert_frame_equal(ledger.state("plan", as_of=made.time), state)
            pd.testing.assert_frame_equal(ledger.state("plan", as_of=made.id), state)


@few
@given(batches=batches)
def test_reverting_everything_backwards_walks_through_every_past_state(batches):
    with Ledger.open("sqlite://") as ledger:
        steps = [(ledger.state("plan")[PAYLOAD], commit(ledger, batch, n)) for n, batch in enumerate(batches)]
        for before, made in reversed(steps):
            if made is not None:
                ledger.revert(made.id, author="Ben")
                pd.testing.assert_frame_equal(ledger.state("plan")[PAYLOAD], before)
        assert ledger.state("plan").empty
        assert ledger.verify().empty


@few
@given(batches=batches)
def test_a_sign_off_keeps_its_totals_whatever_comes_after(batches):
    anchor = {("anchor", "2026-01"): (7, "EUR", None)}
    with Ledger.open("sqlite://") as ledger:
        for number, batch in enumerate(batches):
            commit(ledger, batch | anchor, number)
            signed = ledger.sign_off(f"plan {number}", kind="plan", author="Ada")
            state = ledger.state("plan")
            assert sum(total.cells for total in signed.totals) == len(state)
            assert sum(total.total for total in signed.totals) == sum(int(v) for v in state["value"].dropna())
            assert sum(total.nulls for total in signed.totals) == int(state["value"].isna().sum())
        assert ledger.verify().empty


@few
@given(batches=batches)
def test_the_diff_from_nothing_to_now_is_the_state(batches):
    with Ledger.open("sqlite://") as ledger:
        for number, batch in enumerate(batches):
            commit(ledger, batch, number)
        diff = ledger.diff(START - dt.timedelta(days=1), kind="plan")
        state = ledger.state("plan")
        assert (diff["change"] == "added").all()
        assert diff["node"].tolist() == state["node"].tolist()
        pd.testing.assert_series_equal(diff["after"], state["value"], check_names=False)
        pd.testing.assert_series_equal(diff["text_after"], state["text"], check_names=False)
