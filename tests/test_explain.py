"""A claim in words, from the committed reference."""

import re

import pandas as pd
import pytest
from conftest import ROOT
from fading.errors import FadingError
from fading.provenance.explain import explain

REFERENCE = ROOT / "results/reference/default"
CLAIMS = pd.read_csv(REFERENCE / "claims.csv").set_index("claim")


@pytest.mark.parametrize("name", CLAIMS.index)
def test_every_claim_has_its_verdict_its_sentence_and_where_it_stands(name):
    claim, (first, *lines) = CLAIMS.loc[name], explain(REFERENCE, name)
    assert first == f"{name}: {claim.verdict}"
    assert lines[0].strip() == claim.sentence
    if claim.verdict == "not tested":
        return
    (place,) = (
        re.search(r"judged on line (\d+) of (\S+), column (\S+)$", line) for line in lines if "judged on" in line
    )
    row = pd.read_csv(place[2]).iloc[int(place[1]) - 2]
    assert (row.case, row[place[3]]) == (claim.case, claim.estimate)
    assert all(any(f"stands on {other}: supported" in line for line in lines) for other in _given(claim)) or (
        claim.verdict == "void"
    )


def _given(claim):
    return claim.given.split(", ") if isinstance(claim.given, str) else []


def test_what_would_turn_it_is_how_far_the_bound_is_from_the_threshold():
    claim = CLAIMS.loc["fading-resnet"]
    spare = f"{claim.ci_low - claim.threshold:.2g}"
    assert any(f"an estimate {spare} nearer to the threshold" in line for line in explain(REFERENCE, "fading-resnet"))


def test_an_unknown_claim_is_answered_with_the_nearest():
    with pytest.raises(FadingError, match="has no claim fading-resnt; of its 1.. the nearest are fading-resnet"):
        next(explain(REFERENCE, "fading-resnt"))
