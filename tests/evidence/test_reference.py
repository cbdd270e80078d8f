"""The committed tables: every interval says of what it is, and no correlation is beyond one."""

import numpy as np
import pytest
from conftest import ROOT
from fading.artefacts import store
from fading.evidence.claims import NOISE, PAPER, SUPPORTED, judge
from fading.evidence.intervals import CORRELATION, SHARE
from fading.evidence.tables import TOO_FEW
from fading.plan.plan import read_plan

TABLES = sorted((ROOT / "results/reference").glob("*/tables/*.csv"))
WITHOUT = {"power", "peers", "benchmark"}  # have no interval of a mean: requirements, comparisons, times


def of_study(path) -> str:
    return f"{path.parts[-3]}-{path.stem}"


@pytest.mark.parametrize("path", [path for path in TABLES if path.stem not in WITHOUT], ids=of_study)
def test_every_interval_says_of_what_it_is(path):
    table = store.read(path)
    for low in (column for column in table if column.endswith(("ci_low", "retention_low", "retention_equal_low"))):
        over = table[low.replace("ci_low", "over").replace("_low", "_over")]
        told = table[low].notna()
        assert over[told].str.len().gt(0).all()
        assert not over[told].eq(TOO_FEW).any()
        assert over[~told].isin([TOO_FEW]).all(), "none below three"


@pytest.mark.parametrize("path", TABLES, ids=of_study)
def test_no_correlation_or_share_and_no_end_of_its_interval_is_impossible(path):
    table = store.read(path)
    limits = {CORRELATION: (-1, 1), SHARE: (0, 1)}
    for scale, (least, most) in limits.items():
        rows = table[table["scale"] == scale] if "scale" in table else table[:0]
        numbers = rows.filter(regex="^(spearman|lds|estimate|success|ci_low|ci_high)$").to_numpy(float)
        assert ((numbers >= least) & (numbers <= most) | np.isnan(numbers)).all()
    correlations = table.filter(regex="^(spearman|lds|agreement)$").to_numpy(float)
    assert (np.abs(correlations[~np.isnan(correlations)]) <= 1).all()


def test_what_an_estimator_fails_at_in_removal_noise_would_not_be_supported_in():
    """Claims of our own are judged without noise; those on a low score must stand on what noise does not do."""
    claims = read_plan(ROOT, "config/config.yaml").claims
    tables = {
        claim["table"]: store.read(ROOT / f"results/reference/default/tables/{claim['table']}.csv") for claim in claims
    }
    asked = [claim | {"source": PAPER} if claim["assumption"] == "removal" else claim for claim in claims]
    judged = judge(asked, tables).set_index("claim")
    fails = [
        claim["claim"]
        for claim in claims
        if (claim["assumption"], claim["direction"]) == ("removal", "at most") and claim["source"] != "control"
    ]
    assert len(fails) >= 4
    assert not judged.loc[fails, [*NOISE]].eq(SUPPORTED).any(axis=None)
