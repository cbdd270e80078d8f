"""Verdicts: an interval beyond the threshold, on either side; a change of data flips them; missing data are no pass."""

import pandas as pd
import pytest
import yaml
from conftest import ROOT
from fading.artefacts import store
from fading.errors import FadingError
from fading.evidence.claims import judge, results, verdict, with_results

CLAIM = {
    "claim": "it-fades",
    "sentence": "It fades.",
    "source": "paper",
    "assumption": "fading",
    "case": "bert-reviews",
    "table": "fading-summary",
    "statistic": "spearman",
    "where": {"estimator": "abif", "step": "last"},
    "direction": "at most",
    "threshold": 0.5,
    "since": "2026-11-23",
    "reason": "Because.",
}


def table(low=0.1, estimate=0.2, high=0.3):
    rows = [
        ("bert-reviews", "abif", 1, 0.9, 0.8, 1.0),
        ("bert-reviews", "abif", 50, estimate, low, high),
        ("bert-reviews", "tracin", 100, 0.0, -0.1, 0.1),
        ("resnet-fashion", "abif", 100, 0.0, -0.1, 0.1),
    ]
    return pd.DataFrame(rows, columns=["case", "estimator", "step", "spearman", "ci_low", "ci_high"])


@pytest.mark.parametrize(
    ("low", "high", "at_least", "at_most"),
    [
        (0.6, 0.7, "supported", "contradicted"),
        (0.5, 0.7, "supported", "inconclusive"),
        (0.4, 0.7, "inconclusive", "inconclusive"),
        (0.4, 0.5, "inconclusive", "supported"),
        (0.3, 0.4, "contradicted", "supported"),
        (0.5, 0.5, "supported", "supported"),
    ],
)
def test_a_verdict_is_where_the_interval_lies(low, high, at_least, at_most):
    assert verdict(low, high, 0.5, "at least") == at_least
    assert verdict(low, high, 0.5, "at most") == at_most


def test_data_that_make_a_claim_false_flip_its_verdict():
    (one,) = judge([CLAIM], {"fading-summary": table()}).itertuples()
    assert (one.verdict, one.estimate, one.ci_low, one.ci_high, one.threshold) == ("supported", 0.2, 0.1, 0.3, 0.5)
    assert one.statistic == "spearman in fading-summary: estimator abif, step last"
    (other,) = judge([CLAIM], {"fading-summary": table(0.7, 0.8, 0.9)}).itertuples()
    assert other.verdict == "contradicted"
    (unclear,) = judge([CLAIM], {"fading-summary": table(0.1, 0.4, 0.9)}).itertuples()
    assert unclear.verdict == "inconclusive"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"where": {"estimator": "ekfac"}},
            "it-fades: found 0 rows of fading-summary with case bert-reviews, estimator ekfac",
        ),
        ({"where": {"estimator": "abif"}}, "found 2 rows of fading-summary"),
        ({"where": {"solver": "cg"}}, "it-fades: found solver; columns of fading-summary are case, estimator"),
        ({"statistic": "pearson"}, "it-fades: found pearson; columns"),
        ({"case": "logistic-reviews"}, "found 0 rows"),
    ],
)
def test_missing_data_are_an_error(change, message):
    with pytest.raises(FadingError, match=message):
        judge([CLAIM | change], {"fading-summary": table()})


@pytest.mark.parametrize("end", [float("nan"), float("inf"), -float("inf")])
def test_a_number_without_an_interval_supports_nothing(end):
    for low, high in ((end, 0.3), (0.1, end)):
        with pytest.raises(FadingError, match="it-fades: The interval from .* is none"):
            judge([CLAIM], {"fading-summary": table(low, 0.2, high)})


def test_a_study_without_claims_has_an_empty_scorecard():
    empty = judge([], {})
    assert len(empty) == 0
    assert {"claim", "verdict", "estimate"} <= set(empty.columns)


def test_the_results_say_plainly_what_did_not_come_out():
    judged = judge([CLAIM], {"fading-summary": table(0.7, 0.8, 0.9)})
    text = results(judged)
    assert "- 1 of the paper's claims: 0 supported, 0 inconclusive, 1 contradicted." in text
    assert "- It fades. *contradicted* (`bert-reviews`): 0.8 [0.7, 0.9], where it would take at most 0.5." in text
    assert "| It fades. (paper) | `bert-reviews` | 0.8 [0.7, 0.9] | at most 0.5 | contradicted |" in text
    assert "did not come out" not in results(judge([CLAIM], {"fading-summary": table()}))


def test_the_readmes_results_are_those_of_the_committed_claims():
    readme = (ROOT / "README.md").read_text()
    assert with_results(readme, store.read(ROOT / "results/reference/claims.csv")) == readme, "snakemake readme"
    written = pd.DataFrame(yaml.safe_load((ROOT / "config/claims.yaml").read_text())).set_index("claim")
    committed = store.read(ROOT / "results/reference/claims.csv").set_index("claim")
    for column in ("sentence", "source", "assumption", "case", "direction", "threshold", "since", "reason"):
        assert committed[column].to_dict() == written[column].to_dict(), (
            "the reference is of other claims: run it again"
        )
    with pytest.raises(FadingError, match="no section of results"):
        with_results("# fading", judge([CLAIM], {"fading-summary": table()}))
