"""Verdicts: an interval beyond the threshold, on either side; data flip them; what a study lacks tests nothing."""

import math

import pandas as pd
import pytest
import yaml
from conftest import ROOT
from fading.artefacts import store
from fading.errors import FadingError
from fading.evidence.claims import COLUMNS, NOT_TESTED, judge, margin, verdict
from fading.evidence.scorecard import BEGIN, END, results, with_results

CLAIM = {
    "claim": "it-fades",
    "sentence": "It fades.",
    "source": "paper",
    "assumption": "fading",
    "case": "bert-reviews",
    "table": "fading-summary",
    "column": "spearman",
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
    (row,) = judge([CLAIM], {"fading-summary": table()}).itertuples()
    assert (row.verdict, row.estimate, row.ci_low, row.ci_high, row.threshold) == ("supported", 0.2, 0.1, 0.3, 0.5)
    assert row.statistic == "spearman in fading-summary: estimator abif, step last"
    (against,) = judge([CLAIM], {"fading-summary": table(0.7, 0.8, 0.9)}).itertuples()
    assert against.verdict == "contradicted"
    (unclear,) = judge([CLAIM], {"fading-summary": table(0.1, 0.4, 0.9)}).itertuples()
    assert unclear.verdict == "inconclusive"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"where": {"estimator": "abif"}},
            "config/claims.yaml: it-fades: found 2 rows of fading-summary with case bert-reviews, estimator abif; "
            "accepted is at most one",
        ),
        (
            {"where": {"solver": "cg"}},
            "config/claims.yaml: it-fades: found solver; columns of fading-summary are case, estimator, step",
        ),
        ({"column": "pearson"}, "config/claims.yaml: it-fades: found pearson; columns of fading-summary are case"),
    ],
)
def test_a_claim_that_its_table_cannot_mean_is_an_error(change, message):
    with pytest.raises(FadingError, match=message):
        judge([CLAIM | change], {"fading-summary": table()})


@pytest.mark.parametrize(
    "change",
    [
        {"where": {"estimator": "ekfac", "step": "last"}},
        {"where": {"estimator": "abif", "step": 2}},
        {"case": "logistic-reviews"},
        {"table": "loo-summary"},
        {"table": "loo-summary", "column": "pearson"},
    ],
)
def test_what_a_study_lacks_is_not_tested(change):
    untested, tested = judge([CLAIM | change, CLAIM], {"fading-summary": table()}).itertuples()
    assert untested.verdict == NOT_TESTED
    assert all(math.isnan(number) for number in (untested.estimate, untested.ci_low, untested.ci_high))
    assert (untested.claim, untested.threshold, untested.reason) == ("it-fades", 0.5, "Because.")
    assert tested.verdict == "supported", "and does not keep the others from it"


@pytest.mark.parametrize("direction", ["at least", "at most"])
@pytest.mark.parametrize("end", [float("nan"), float("inf"), -float("inf")])
def test_a_number_without_an_interval_supports_nothing(end, direction):
    for low, high in ((end, 0.3), (0.1, end), (end, end)):
        assert verdict(low, high, 0.5, direction) == NOT_TESTED
        (row,) = judge([CLAIM | {"direction": direction}], {"fading-summary": table(low, 0.2, high)}).itertuples()
        assert row.verdict == NOT_TESTED
        assert row.estimate == 0.2, "it stands there all the same"


def test_an_interval_of_the_columns_own_goes_before_the_tables():
    both = table().assign(spearman_low=0.6, spearman_high=0.7)
    (row,) = judge([CLAIM], {"fading-summary": both}).itertuples()
    assert (row.ci_low, row.ci_high, row.verdict) == (0.6, 0.7, "contradicted")
    (row,) = judge([CLAIM], {"fading-summary": both.drop(columns="spearman_high")}).itertuples()
    assert (row.ci_low, row.ci_high, row.verdict) == (0.1, 0.3, "supported")


def test_a_margin_is_positive_on_the_claims_side():
    claims = [CLAIM, CLAIM | {"direction": "at least"}]
    judged = judge(claims, {"fading-summary": table()})
    assert margin(judged, "estimate").tolist() == pytest.approx([0.3, -0.3])
    assert margin(judged, "ci_high").tolist() == pytest.approx([0.2, -0.2])


def test_a_study_without_claims_has_an_empty_scorecard():
    empty = judge([], {})
    assert len(empty) == 0
    assert list(empty.columns) == list(COLUMNS)


def test_the_results_say_plainly_what_did_not_come_out():
    judged = judge([CLAIM], {"fading-summary": table(0.7, 0.8, 0.9)})
    text = results(judged)
    assert "- 1 of the paper's claims: 0 supported, 0 inconclusive, 1 contradicted." in text
    assert "- It fades. *contradicted* (`bert-reviews`): 0.8 [0.7, 0.9], where it would take at most 0.5." in text
    assert "| It fades. (paper) | `bert-reviews` | 0.8 [0.7, 0.9] | at most 0.5 | contradicted |" in text
    assert "did not come out" not in results(judge([CLAIM], {"fading-summary": table()}))


def test_what_was_not_tested_is_counted_and_no_more():
    judged = judge([CLAIM, CLAIM | {"table": "loo-summary", "sentence": "Nobody looked."}], {"fading-summary": table()})
    text = results(judged)
    assert "- 2 of the paper's claims: 1 supported, 0 inconclusive, 0 contradicted, 1 not tested." in text
    assert "- 0 of our own: 0 supported, 0 inconclusive, 0 contradicted.\n" in text, "where none is left out"
    assert "Nobody looked" not in text
    assert "did not come out" not in text
    assert "nan" not in text
    untested = results(judge([CLAIM], {}))
    assert "- 1 of the paper's claims: 0 supported, 0 inconclusive, 0 contradicted, 1 not tested." in untested
    assert "|" not in untested


def test_only_the_section_of_results_is_made_anew():
    judged = judge([CLAIM], {"fading-summary": table()})
    page = with_results(f"# Before\n\n{BEGIN}\nold\n{END}\n\nAfter\n", judged)
    assert page == f"# Before\n\n{BEGIN}\n\n{results(judged)}\n\n{END}\n\nAfter\n"
    assert with_results(page, judged) == page
    for unmarked in ("# fading", f"# fading {BEGIN}", f"# fading {END}"):
        with pytest.raises(FadingError, match="docs/results.md has no section of results"):
            with_results(unmarked, judged)


def test_the_written_results_are_those_of_the_committed_claims():
    page = (ROOT / "docs/results.md").read_text()
    assert with_results(page, store.read(ROOT / "results/reference/claims.csv")) == page, "snakemake scorecard"


def test_the_committed_claims_are_those_that_are_made():
    written = pd.DataFrame(yaml.safe_load((ROOT / "config/claims.yaml").read_text())).set_index("claim")
    committed = store.read(ROOT / "results/reference/claims.csv").set_index("claim")
    assert (committed.verdict != NOT_TESTED).all(), "the default study tests every claim"
    for column in ("sentence", "source", "assumption", "case", "direction", "threshold", "since", "reason"):
        assert committed[column].to_dict() == written[column].to_dict(), (
            "the reference is of other claims: run it again"
        )
