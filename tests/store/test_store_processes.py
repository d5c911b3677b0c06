"""Several processes on one file: nothing that was committed is ever lost."""

import subprocess
import sys

from spms_lib.store.ledger import Ledger

WRITER = """
import sys
import pandas as pd
from spms_lib.store.ledger import Ledger

path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with Ledger.open(path) as ledger:
    for number in range(count):
        cells = pd.DataFrame({"node": [name, "shared"], "period": f"{number:05d}", "measure": "revenue"})
        made = ledger.commit("plan", cells.assign(value=number), author=name, message=str(number))
        print(made.id, flush=True)
"""


def writer(path, name, count):
    command = [sys.executable, "-c", WRITER, str(path), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_writers_lose_nothing(tmp_path):
    path = tmp_path / "ledger.sqlite"  # both also try to create it
    writers = [writer(path, name, 20) for name in ("Ada", "Ben")]
    said = [process.communicate(timeout=120) for process in writers]
    assert [process.returncode for process in writers] == [0, 0], said
    ids = [line for out, _ in said for line in out.split()]
    with Ledger.open(path, create=False) as ledger:
        log = ledger.log()
        state = ledger.state("plan")
        assert ledger.verify().empty
    assert sorted(log["id"]) == sorted(ids)
    assert log["seq"].tolist() == list(range(40, 0, -1))
    assert log.groupby("author").size().to_dict() == {"Ada": 20, "Ben": 20}
    assert state.groupby("node").size().to_dict() == {"Ada": 20, "Ben": 20, "shared": 20}
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.sqlite"]


def test_a_killed_writer_loses_no_commit_that_it_reported(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with writer(path, "Ada", 100_000) as process:
        reported = [process.stdout.readline().strip() for _ in range(8)]
        process.kill()
        rest = process.stdout.read().split("\n")[:-1]
    with Ledger.open(path, create=False) as ledger:
        assert ledger.verify(known=[*reported, *rest]).empty
        assert len(ledger.log()) - len([*reported, *rest]) in {
            0,
            1,
        }  # the last may have had no time to say so
