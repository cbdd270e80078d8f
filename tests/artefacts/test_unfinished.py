"""A job that is killed goes on from what it had done."""

import json

import numpy as np
import pandas as pd
import pytest
from fading.artefacts.store import LINEAGE
from fading.artefacts.unfinished import KEPT, forget, once

MINE = dict.fromkeys(LINEAGE - {"path"}, "as it was") | {"settings": {"steps": 3}}
JOB = "results/smoke/logs/training/bert.0.log"


class Work:
    """Counts how often it is done."""

    def __init__(self):
        self.done = []

    def __call__(self, number):
        self.done.append(number)
        return {
            "runs": {"losses": np.arange(3.0) + number, "right": np.array([True, False])},
            "table": pd.DataFrame({"case": ["a", "b"], "test_loss": [np.nan, number / 3]}, index=[3, 4]),
        }


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_piece_is_made_once_and_is_the_same_when_read(capsys):
    work = Work()
    first, again = (once(JOB, MINE, "group-1", work, 5) for _ in range(2))
    assert work.done == [5]
    assert capsys.readouterr().out == "group-1: done by an earlier try of this job\n"
    for found in (first, again):
        np.testing.assert_array_equal(found["runs"]["losses"], [5, 6, 7])
        assert found["runs"]["right"].dtype == bool
    pd.testing.assert_frame_equal(first["table"], again["table"])
    assert once(JOB, MINE, "group-2", work, 6)["runs"]["losses"][0] == 6


def test_what_another_lineage_made_is_not_taken():
    work = Work()
    once(JOB, MINE, "group-1", work, 5)
    once(JOB, MINE | {"settings": {"steps": 4}}, "group-1", work, 5)
    once(JOB.replace("bert", "resnet"), MINE, "group-1", work, 5)
    assert work.done == [5, 5, 5]


def test_half_a_piece_or_a_damaged_one_is_made_again():
    work = Work()
    once(JOB, MINE, "group-1", work, 5)
    (kept,) = KEPT.rglob("runs.safetensors")
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    once(JOB, MINE, "group-1", work, 5)
    assert work.done == [5, 5]
    kept.with_name("table.parquet").unlink()
    assert once(JOB, MINE, "group-1", work, 5).keys() == {"runs", "table"}
    assert work.done == [5, 5, 5]

    def killed(number):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        once(JOB, MINE, "group-3", killed, 1)
    (kept.parent.parent / ".part-group-3").mkdir()
    (kept.parent.parent / ".part-group-3/runs.safetensors").write_bytes(b"half")
    assert once(JOB, MINE, "group-3", work, 7)["runs"]["losses"][0] == 7


def test_a_job_that_is_done_leaves_nothing():
    for lineage in (MINE, json.loads(json.dumps(MINE)) | {"threads": 2}):
        once(JOB, lineage, "group-1", Work(), 5)
    forget(JOB)
    forget(JOB)
    assert not list(KEPT.rglob("*.safetensors"))
