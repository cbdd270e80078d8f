"""A short campaign of faults: python tests/faults.py is the long one."""

import shutil

import pytest
from faults import campaign


@pytest.mark.slow
def test_a_study_that_is_struck_goes_on_by_itself_to_the_same_bytes(smoke, tmp_path):
    """Of a finished study, one case and what joins all cases is made again."""
    shutil.copytree(smoke, tmp_path / "struck", symlinks=True)
    for part in ("logistic-fashion", "logistic-reviews", "tables", "figures"):
        shutil.rmtree(tmp_path / "struck/results/smoke" / part)
    struck, differing = campaign(tmp_path / "struck", smoke, ["everything", "a_job", "a_full_disk"], seed=0)
    assert sum(struck.values()) == 3
    assert differing == []
