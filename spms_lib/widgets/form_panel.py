"""A form in the notebook: the cells a person is asked for, to be typed; the next cell of the notebook records them."""

import datetime as dt
from html import escape
from typing import Final

import ipywidgets as ui
import pandas as pd

from spms_lib.collect.answers import NOTED_DOWN, SAID
from spms_lib.collect.form import SELLER, Answer, Form
from spms_lib.errors import SpmsError
from spms_lib.forms.typed import typed_answer
from spms_lib.money import format_money
from spms_lib.tables import CATEGORY, NAME, NODE, PERIOD, VALUE

ROUTE: Final = "notebook"
_ASIDE: Final = {"comment": "comment", "reason": "reason of a change"}
_WIDTHS: Final = {VALUE: "9em", "low": "9em", "high": "9em", "comment": "16em", "reason": "16em"}


class FormPanel:
    """A form to be filled in by hand. It keeps what was typed, and records nothing.

    Attributes
    ----------
    form
        What is asked.
    widget
        The panel to show.

    Examples
    --------
    In a notebook: `panel = FormPanel(form); panel.widget`, and in the next cell
    `record_answer(desk, panel.answer(), author=desk.author)`.
    """

    def __init__(self, form: Form) -> None:
        self.form = form
        self._cells: dict[tuple[int, str], ui.Text] = {}
        self._topic = ui.Dropdown(options=list(form.topics), layout=_wide("9em"))
        self._about = ui.Dropdown(options=list(form.asked[NODE].unique()), layout=_wide("12em"))
        self._note = ui.Textarea(placeholder="What planning should know", layout=_wide("36em"))
        self._shown = ui.HTML()
        grid = self._grid()
        for cell in [*self._cells.values(), self._note]:
            cell.observe(self._refresh, names="value")
        note = ui.HBox([ui.HTML("A note on"), self._about, self._topic, self._note])
        self.widget: ui.Widget = ui.VBox([grid, note, self._shown])
        self._refresh()

    @property
    def typed(self) -> pd.DataFrame:
        """What stands in the cells: columns `SAID` as text, one row per row asked for, counted from 1."""
        rows = self.form.asked[[NODE, PERIOD, CATEGORY, "kind"]].reset_index(drop=True)
        rows.index = pd.RangeIndex(1, len(rows) + 1)
        texts = {
            column: [self._text(row, column) for row in rows.index] for column in SAID if column not in rows
        }
        return rows.assign(**texts)

    def answer(self, *, at: dt.datetime | None = None) -> Answer:
        """Read and check what was typed, as sent at a moment, now where left out; see `typed_answer`."""
        text = self._note.value.strip()
        last = len(self.form.asked)
        notes = pd.DataFrame(
            [[self._about.value, self._topic.value, text]] if text else [],
            columns=list(NOTED_DOWN),
            index=pd.RangeIndex(last + 1, last + 1 + bool(text)),
        )
        moment = at or dt.datetime.now()  # the clock of the people who sit here
        return typed_answer(self.form, self.typed, notes, origin=ROUTE, at=moment, route=ROUTE)

    def _text(self, row: int, column: str) -> str:
        cell = self._cells.get((row, column))
        return cell.value if cell is not None else ""

    def _grid(self) -> ui.Widget:
        ranges = ["low", "high"] if self.form.ask_range else []
        columns = [VALUE, *ranges, *(_ASIDE if self.form.role != SELLER else {"comment": ""})]
        heads = ["node", "month", "category", f"last said ({self.form.currency})", *columns]
        children: list[ui.Widget] = [ui.HTML(f"<strong>{escape(head)}</strong>") for head in heads]
        for row, asked in enumerate(self.form.asked.to_dict("records"), start=1):
            said = None if pd.isna(asked["said"]) else float(asked["said"])
            labels = [asked[NAME], asked[PERIOD], asked[CATEGORY], format_money(said, self.form.currency)]
            children += [ui.HTML(escape(str(label))) for label in labels]
            for column in columns:
                if column in ranges and asked[CATEGORY] != "commit":
                    children.append(ui.HTML())
                    continue
                label = f"{column} of {asked[CATEGORY]}, {asked[PERIOD]}, {asked[NAME]}"
                cell = ui.Text(layout=_wide(_WIDTHS[column]), continuous_update=False, tooltip=label)
                self._cells[row, column] = cell
                children.append(cell)
        template = " ".join(["auto"] * len(heads))
        return ui.GridBox(children, layout=ui.Layout(grid_template_columns=template, grid_gap="2px 8px"))

    def _refresh(self, _change: object = None) -> None:
        try:
            answer = self.answer(at=dt.datetime.combine(self.form.due, dt.time(12)))
        except SpmsError as refusal:
            self._shown.value = f'<div role="alert">{escape(str(refusal))}</div>'
            return
        count = len(answer.submissions) + len(answer.overrides)
        total = format_money(float(answer.submissions[VALUE].sum()), self.form.currency)
        told = [
            f"<li>row {row['row']}, {escape(row['column'])}: {escape(row['rule'])} ({escape(row['value'])}). "
            f"{escape(row['remedy'])}</li>"
            for row in answer.findings.to_dict("records")
        ]
        lines = f"<p>{count} of {len(self.form.asked)} cells filled; submissions add up to {total}.</p>"
        self._shown.value = lines + (f'<ul role="alert">{"".join(told)}</ul>' if told else "")


def _wide(width: str) -> ui.Layout:
    return ui.Layout(width=width)
