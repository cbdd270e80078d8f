"""Verdicts: one-sided, by a claim's own number, by what it stands on and by noise; and the scorecard in words."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from fading.artefacts import store
from fading.errors import FadingError
from fading.evidence.claims import (
    COLUMNS,
    CONTRADICTED,
    INCONCLUSIVE,
    LEVEL,
    NOT_TESTED,
    POWER,
    SUPPORTED,
    VOID,
    judge,
    margin,
    verdict,
)
from fading.evidence.intervals import CORRELATION, SHARE, Mean, mean_of_rows, mean_of_shares
from fading.evidence.scorecard import results
from fading.evidence.tables import averaged
from fading.plan.plan import read_plan
from scipy import stats

SAID = ("given", "knowing", "since", "reason")
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
    "knowing": "nothing",
    "since": "2026-11-23",
    "reason": "Because.",
}
STARTS = CLAIM | {
    "claim": "it-starts",
    "sentence": "It starts.",
    "source": "control",
    "where": {"estimator": "abif", "step": "first"},
    "direction": "at least",
    "threshold": 0.9,
    "knowing": "prototypes",
}
LINEAR = STARTS | {
    "claim": "it-is-linear",
    "sentence": "Linear.",
    "source": "ours",
    "where": {"estimator": "linear-response", "step": "last"},
    "knowing": "earlier results",
}
THREE = [CLAIM | {"given": ["it-starts", "it-is-linear"]}, STARTS, LINEAR]
MEANS = {  # at the first step and the last
    "abif": (0.95, 0.1),
    "linear-response": (0.99, 0.99),
    "random": (0.0, 0.0),
    "nearest-neighbours": (0.1, 0.05),
}


def error(se=0.01, df=4, **other):
    return {"se_rows": se, "se_columns": 0.0, "df": df, "scale": "linear", "rows": 5, "se_nested": 0.0} | other


def table(se=0.01, **means):
    """The table of fading with these means at the first step and the last."""
    rows = [
        {"case": "bert-reviews", "estimator": name.replace("_", "-"), "step": step, "spearman": mean, **error(se)}
        for name, ends in (MEANS | means).items()
        for step, mean in zip((1, 50), ends, strict=True)
    ]
    rows.append(rows[0] | {"case": "resnet-fashion", "step": 100})
    return pd.DataFrame(rows).assign(over="5 runs")


def verdicts(claims, **means):
    return judge(claims, {"fading-summary": table(**means)}).set_index("claim").verdict.to_dict()


# By a claim's own number


@pytest.mark.parametrize("shift", [-0.9, -0.5, -0.1, 0, 0.1, 0.5, 0.9])
def test_a_verdict_is_by_the_one_sided_test(shift):
    values = np.random.default_rng(0).normal(shift, 0.7, size=6)
    at_least, at_most = (stats.ttest_1samp(values, 0, alternative=side).pvalue for side in ("greater", "less"))
    mean = mean_of_rows(values)
    for direction, here, there in (("at least", at_least, at_most), ("at most", at_most, at_least)):
        assert mean.p_value(0, direction) == pytest.approx(here)
        expected = SUPPORTED if here <= LEVEL else CONTRADICTED if there <= LEVEL else INCONCLUSIVE
        assert verdict(mean, 0, direction) == expected


@pytest.mark.parametrize("scale", ["linear", CORRELATION, SHARE])
def test_a_verdict_turns_where_the_one_sided_bound_passes_the_threshold(scale):
    mean = Mean(0.6, 0.1, 0.05, df=7, scale=scale, rows=5)
    low, high = mean.ends(1 - 2 * LEVEL)
    for threshold, at_least, at_most in (
        (low - 1e-6, SUPPORTED, CONTRADICTED),
        (low + 1e-6, INCONCLUSIVE, INCONCLUSIVE),
        (high - 1e-6, INCONCLUSIVE, INCONCLUSIVE),
        (high + 1e-6, CONTRADICTED, SUPPORTED),
    ):
        assert (verdict(mean, threshold, "at least"), verdict(mean, threshold, "at most")) == (at_least, at_most)


def test_without_any_spread_the_threshold_itself_is_on_the_claims_side():
    null = Mean(0.0, 0.0)
    assert [verdict(null, 0, direction) for direction in ("at least", "at most")] == [SUPPORTED] * 2
    assert verdict(replace(null, value=1e-9), 0, "at most") == CONTRADICTED


def test_a_share_of_successes_is_judged_by_its_score_test():
    mean = mean_of_shares([np.array(hits, float) for hits in ([1, 1, 1, 0], [1, 1, 0, 1], [1, 1, 1, 0])])
    score = (9 / 12 - 0.5) / np.sqrt(0.25 / 12)
    assert mean.p_value(0.5, "at least") == pytest.approx(stats.norm.sf(score))
    assert verdict(mean, 0.5, "at least") == SUPPORTED
    assert verdict(mean, 0.55, "at least") == INCONCLUSIVE


@pytest.mark.parametrize("direction", ["at least", "at most"])
def test_a_number_without_a_standard_error_supports_nothing(direction):
    for mean in (Mean(0.2, math.nan), Mean(math.nan, math.nan), Mean(math.nan, 0.1), Mean(0.2, 0.1, math.nan)):
        assert verdict(mean, 0.5, direction) == NOT_TESTED
    (row,) = judge([CLAIM | {"direction": direction}], {"fading-summary": table(math.nan)}).itertuples()
    assert row.verdict == NOT_TESTED
    assert row.estimate == 0.1, "it stands there all the same"


def test_data_that_make_a_claim_false_flip_its_verdict():
    (row,) = judge([CLAIM], {"fading-summary": table()}).itertuples()
    assert (row.estimate, row.threshold, row.over, row.replicates) == (0.1, 0.5, "5 runs", 5)
    assert (row.ci_low, row.ci_high) == pytest.approx((0.1 - 0.02132, 0.1 + 0.02132), abs=1e-5)
    assert row.p == pytest.approx(stats.t.sf(40, 4))
    assert row.statistic == "spearman in fading-summary: estimator abif, step last"
    starts = [STARTS, CLAIM | {"given": ["it-starts"]}]
    assert verdicts(starts)["it-fades"] == SUPPORTED
    assert verdicts(starts, abif=(0.95, 0.9))["it-fades"] == CONTRADICTED
    assert verdicts(starts, abif=(0.95, 0.49))["it-fades"] == INCONCLUSIVE


def test_first_and_last_are_the_steps_of_what_else_is_meant():
    longer = table().assign(k=1)
    longer = pd.concat([longer, longer.assign(k=3, step=longer.step + 1, spearman=0.3)])
    for step, k, estimate in ((1, 1, 0.95), ("first", 1, 0.95), ("last", 1, 0.1), ("last", "last", 0.3), (2, 3, 0.3)):
        where = {"step": step, "estimator": "abif", "k": k}
        (row,) = judge([CLAIM | {"where": where}], {"fading-summary": longer}).itertuples()
        assert row.estimate == estimate


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


def test_a_table_without_what_makes_a_mean_is_an_error():
    with pytest.raises(FadingError, match="config/claims.yaml: it-fades: found se_rows, over; columns of fading-summ"):
        judge([CLAIM], {"fading-summary": table().drop(columns=["se_rows", "over"])})


@pytest.mark.parametrize(
    "change",
    [
        {"where": {"estimator": "ekfac", "step": "last"}},
        {"where": {"estimator": "abif", "step": 2}},
        {"case": "logistic-reviews"},
        {"table": "loo-summary"},
        {"table": "loo-summary", "column": "pearson"},
        {"table": "loo-summary", "given": ["it-starts-late"]},
    ],
)
def test_what_a_study_lacks_is_not_tested(change):
    fails = STARTS | {"claim": "it-starts-late", "threshold": 0.99}
    claims = [CLAIM | {"claim": "unknown"} | change, LINEAR, fails]
    untested, tested, _ = judge(claims, {"fading-summary": table()}).itertuples()
    assert untested.verdict == NOT_TESTED
    numbers = (untested.estimate, untested.ci_low, untested.ci_high, untested.p, untested.p_holm, untested.needed)
    assert all(math.isnan(number) for number in numbers)
    assert (untested.threshold, untested.reason, untested.because, untested.over) == (0.5, "Because.", "", "")
    assert tested.verdict == SUPPORTED, "and does not keep the others from it"


def test_what_is_named_after_the_column_goes_before_the_tables():
    both = table().assign(**{f"spearman_{name}": value for name, value in error(0.3, df=9, rows=10).items()})
    with pytest.raises(FadingError, match="it-is-linear: found spearman_over; columns"):
        judge([LINEAR], {"fading-summary": both})
    (row,) = judge([LINEAR], {"fading-summary": both.assign(spearman_over="10 runs")}).itertuples()
    assert (row.se_rows, row.replicates, row.over) == (0.3, 10, "10 runs")
    assert row.ci_low == pytest.approx(0.99 - stats.t.ppf(0.95, 9) * 0.3)
    (row,) = judge([LINEAR], {"fading-summary": both.drop(columns="spearman_se_rows")}).itertuples()
    assert (row.se_rows, row.replicates, row.over) == (0.01, 5, "5 runs")


def test_a_table_as_it_is_made_and_written_has_what_a_claim_needs(tmp_path):
    random, rows = np.random.default_rng(0), range(5)
    means = {("abif", 1): 2.0, ("abif", 9): 0.1, ("random", 1): 0.0, ("random", 9): 0.1}
    frames = [
        pd.DataFrame({"seed": rows, "spearman": np.tanh(mean + 0.1 * random.normal(size=5))}).assign(
            case="bert-reviews", estimator=estimator, step=step
        )
        for (estimator, step), mean in means.items()
    ]
    made = averaged(pd.concat(frames), "spearman", ["case", "estimator", "step"], CORRELATION)
    claims = [CLAIM | {"given": ["it-starts"]}, STARTS]
    judged = judge(claims, {"fading-summary": made})
    assert judged.verdict.tolist() == [SUPPORTED] * 2
    lineage = dict.fromkeys(store.LINEAGE, "")
    store.write(tmp_path / "table.csv", made, lineage)
    again = judge(claims, {"fading-summary": store.read(tmp_path / "table.csv")})
    pd.testing.assert_frame_equal(again, judged, check_dtype=False)
    store.write(tmp_path / "claims.csv", judged[[*COLUMNS]], lineage)
    assert results(store.read(tmp_path / "claims.csv")) == results(judged)


# By what a claim stands on


CHAIN = [
    STARTS,
    CLAIM | {"claim": "second", "source": "ours", "given": ["it-starts"]},
    CLAIM | {"claim": "third", "source": "ours", "given": ["it-is-linear", "second"]},
    LINEAR,
]


@pytest.mark.parametrize(
    ("first", "ended"),
    [((0.95, 0.1), SUPPORTED), ((0.8, 0.1), CONTRADICTED), ((0.91, 0.1), INCONCLUSIVE), ((math.nan, 0.1), NOT_TESTED)],
)
def test_what_stands_on_a_claim_that_is_not_supported_is_void_and_so_forth(first, ended):
    judged = judge(CHAIN, {"fading-summary": table(abif=first)}).set_index("claim")
    assert judged.verdict["it-starts"] == ended
    assert judged.given["third"] == "it-is-linear, second"
    if ended == SUPPORTED:
        assert set(judged.verdict) == {SUPPORTED}
        assert set(judged.because) == {""}
    else:
        assert judged.verdict[["second", "third", "it-is-linear"]].tolist() == [VOID, VOID, SUPPORTED]
        assert judged.because[["second", "third"]].tolist() == [f"it-starts is {ended}", "second is void"]
        assert (judged.estimate["third"], judged.p["third"] < LEVEL) == (0.1, True), "whatever its number"


def test_what_stands_on_a_claim_that_noise_wins_is_void():
    claims = [CLAIM, CLAIM | {"claim": "ours", "source": "ours", "given": ["it-fades"]}]
    assert verdicts(claims) == {"it-fades": VOID, "ours": VOID}
    (_, ours) = judge(claims, {"fading-summary": table()}).itertuples()
    assert ours.because == "it-fades is void"


# By noise in the estimator's place


def test_a_claim_that_noise_would_win_is_void_and_says_which():
    (alone,) = judge([CLAIM], {"fading-summary": table()}).to_dict("records")
    assert (alone["random"], alone["nearest-neighbours"]) == (SUPPORTED, SUPPORTED)
    assert (alone["verdict"], alone["because"]) == (VOID, "random and nearest-neighbours would be supported too")
    claims, near = [CLAIM | {"given": ["it-starts"]}, STARTS], {"nearest-neighbours": (0.95, 0.1)}
    fades, starts = judge(claims, {"fading-summary": table(**near)}).to_dict("records")
    assert (fades["random"], fades["nearest-neighbours"]) == (VOID, SUPPORTED)
    assert (fades["verdict"], fades["because"]) == (VOID, "nearest-neighbours would be supported too")
    assert starts["verdict"] == SUPPORTED
    contradicted = verdicts([CLAIM], abif=(0.95, 0.9))
    assert contradicted == {"it-fades": VOID}, "that it is not as noise is tells nothing either"


def test_noise_takes_the_estimators_place_in_all_that_the_claim_stands_on_and_nowhere_else():
    (fades, *_) = judge(THREE, {"fading-summary": table()}).to_dict("records")
    assert [fades[key] for key in ("random", "nearest-neighbours", "verdict")] == [VOID, VOID, SUPPORTED]
    elsewhere = [CLAIM | {"given": ["it-is-linear"]}, LINEAR]
    (fades, _) = judge(elsewhere, {"fading-summary": table()}).to_dict("records")
    assert [fades[key] for key in ("random", "nearest-neighbours")] == [SUPPORTED] * 2, "the response stays linear"
    deeper = [LINEAR | {"given": ["it-starts"]}, STARTS, CLAIM | {"given": ["it-is-linear"]}]
    *_, fades = judge(deeper, {"fading-summary": table()}).to_dict("records")
    assert (fades["random"], fades["verdict"]) == (VOID, SUPPORTED), "through what is on another"


@pytest.mark.parametrize("place", ["estimator", "method", "curvature"])
def test_noise_is_found_in_every_column_of_what_is_judged(place):
    renamed = table().rename(columns={"estimator": place})
    (row,) = judge([CLAIM | {"where": {place: "abif", "step": "last"}}], {"fading-summary": renamed}).itertuples()
    assert row.verdict == VOID
    unknown = renamed[~renamed[place].isin(["random", "nearest-neighbours"])]
    (row,) = judge([CLAIM | {"where": {place: "abif", "step": "last"}}], {"fading-summary": unknown}).itertuples()
    assert (row.random, row.verdict) == (NOT_TESTED, SUPPORTED)


@pytest.mark.parametrize(
    "change", [{"source": "ours"}, {"source": "control"}, {"where": {"kind": "a", "step": "last"}}]
)
def test_claims_of_our_own_and_on_no_estimator_are_not_judged_by_noise(change):
    one = table()[lambda rows: rows.estimator == "abif"].assign(kind="a")
    with_noise = pd.concat([one, table().assign(kind="b")])
    (row,) = judge([CLAIM | change], {"fading-summary": with_noise[with_noise.kind == "a"]}).to_dict("records")
    assert (row["random"], row["nearest-neighbours"], row["verdict"]) == ("", "", SUPPORTED)


# All of them


def test_holm_over_the_papers_claims_that_are_tested_where_what_is_void_counts_as_not_supported():
    at = {"a": 0.52, "b": 0.53, "c": 0.54, "d": 0.47}  # at least .5, standard error .01
    claims = [
        STARTS | {"claim": name, "source": "paper", "threshold": 0.5, "where": {"kind": name, "step": "last"}}
        for name in ("b", "a", "d", "c")
    ]
    claims += [claims[0] | {"claim": "ours", "source": "ours"}, claims[0] | {"claim": "void", "given": ["d"]}]
    claims += [claims[0] | {"claim": "untested", "case": "resnet-fashion", "where": {"kind": "e", "step": "last"}}]
    rows = [{"case": "bert-reviews", "kind": kind, "step": 1, "spearman": mean} for kind, mean in at.items()]
    made = pd.DataFrame(rows).assign(**error(), over="5 runs")
    judged = judge(claims, {"fading-summary": made}).set_index("claim")
    p = {name: stats.t.sf((mean - 0.5) / 0.01, 4) for name, mean in at.items()}
    assert judged.p[[*at]].to_dict() == pytest.approx(p)
    expected = {"c": 5 * p["c"], "b": 4 * p["b"], "a": 3 * p["a"], "d": min(1, 2 * p["d"])}  # and the void one, 1
    assert expected["c"] < expected["b"] < expected["a"] < expected["d"], "none is held up by one before it"
    assert judged.p_holm.dropna().to_dict() == pytest.approx(expected)
    assert judged.verdict[["ours", "void", "untested"]].tolist() == [SUPPORTED, VOID, NOT_TESTED]


def test_holms_value_of_a_claim_is_of_the_largest_p_along_what_it_stands_on():
    at = {"a": 0.54, "b": 0.53, "c": 0.6}  # at least .5, standard error .01
    base, second, third = (
        STARTS | {"claim": name, "source": source, "threshold": 0.5, "where": {"kind": name, "step": "last"}} | given
        for name, source, given in (
            ("a", "ours", {}),
            ("b", "control", {"given": ["a"]}),
            ("c", "paper", {"given": ["a", "b"]}),
        )
    )
    rows = [{"case": "bert-reviews", "kind": kind, "step": 1, "spearman": mean} for kind, mean in at.items()]
    made = {"fading-summary": pd.DataFrame(rows).assign(**error(), over="5 runs")}
    alone = third | {"claim": "alone", "given": []}
    judged = judge([third, alone, base, second], made).set_index("claim")
    p = {name: stats.t.sf((mean - 0.5) / 0.01, 4) for name, mean in at.items()}
    assert judged.p.c == judged.p.alone == pytest.approx(p["c"])
    assert judged.p_holm.dropna().to_dict() == pytest.approx({"alone": 2 * p["c"], "c": p["b"]})
    (deep, *_) = judge([third | {"given": ["b"]}, base, second | {"where": third["where"]}], made).itertuples()
    assert deep.p_holm == pytest.approx(p["a"]), "of what that stands on too"


def test_holms_values_never_fall_and_are_at_most_one():
    claims = [
        STARTS | {"claim": str(mean), "source": "paper", "threshold": 0.5, "where": {"kind": mean, "step": "last"}}
        for mean in (0.5301, 0.53, 0.45)
    ]
    rows = [{"case": "bert-reviews", "kind": mean, "step": 1, "spearman": mean} for mean in (0.5301, 0.53, 0.45)]
    judged = judge(claims, {"fading-summary": pd.DataFrame(rows).assign(**error(), over="5 runs")})
    p = judged.p.tolist()
    assert 2 * p[1] < 3 * p[0] < 1
    assert judged.p_holm.tolist() == pytest.approx([3 * p[0], 3 * p[0], max(3 * p[0], p[2])])
    later = judge(
        [claims[2], claims[2] | {"claim": "again"}], {"fading-summary": pd.DataFrame(rows).assign(**error(), over="")}
    )
    assert later.p_holm.tolist() == [1, 1]


def test_a_margin_is_positive_on_the_claims_side():
    claims = [CLAIM, CLAIM | {"claim": "other", "direction": "at least"}]
    judged = judge(claims, {"fading-summary": table(abif=(0.95, 0.2))})
    assert margin(judged, "estimate").tolist() == pytest.approx([0.3, -0.3])
    assert margin(judged, "ci_high").tolist() == pytest.approx([0.27868, -0.27868], abs=1e-5)


def test_a_study_without_claims_has_an_empty_scorecard():
    empty = judge([], {})
    assert len(empty) == 0
    assert set(empty.columns) == {*COLUMNS, *POWER}
    assert "- The paper's claims (0): 0 supported, 0 inconclusive, 0 contradicted." in results(empty)


# In words


def test_the_results_say_plainly_what_did_not_come_out():
    text = results(judge(THREE, {"fading-summary": table(abif=(0.95, 0.8))}))
    assert "- The paper's claims (1): 0 supported, 0 inconclusive, 1 contradicted.\n" in text
    assert "- It fades. *contradicted* (`bert-reviews`): 0.8 [0.779, 0.821], where it would take at most 0.5." in text
    text = results(judge(THREE, {"fading-summary": table(abif=(0.8, 0.1))}))
    assert "- The paper's claims (1): 0 supported, 0 inconclusive, 0 contradicted, 1 void.\n" in text
    assert "- It fades. *void* (`bert-reviews`): it-starts is contradicted." in text
    assert "- It starts. *contradicted* (`bert-reviews`): 0.8 [0.779, 0.821]" in text
    text = results(judge([CLAIM], {"fading-summary": table()}))
    assert "- It fades. *void* (`bert-reviews`): random and nearest-neighbours would be supported too." in text
    assert "did not come out" not in results(judge(THREE, {"fading-summary": table()}))


def test_claims_stand_by_whose_they_are_with_when_their_thresholds_were_fixed():
    text = results(judge(THREE, {"fading-summary": table()}))
    counts, paper, ours, control = text.split("\n\n**")
    assert counts.splitlines()[:3] == [
        "- The paper's claims (1): 1 supported, 0 inconclusive, 0 contradicted.",
        "- Our own (1): 1 supported, 0 inconclusive, 0 contradicted.",
        "- Controls (1): 1 supported, 0 inconclusive, 0 contradicted.",
    ]
    for section, title, row in (
        (
            paper,
            "The paper's claims**",
            "| fading: It fades. | `bert-reviews` | 0.1 [0.0787, 0.121] | 5 runs | at most 0.5, before any run "
            "| supported | 5; 3 |",
        ),
        (
            ours,
            "Our own**",
            "| fading: Linear. | `bert-reviews` | 0.99 [0.969, 1.01] | 5 runs | at least 0.9, after earlier results "
            "| supported | 5; 3 |",
        ),
        (
            control,
            "Controls**",
            "| fading: It starts. | `bert-reviews` | 0.95 [0.929, 0.971] | 5 runs | at least 0.9, after prototypes "
            "| supported | 5; 4 |",
        ),
    ):
        assert section.startswith(title)
        assert section.splitlines()[-1] == row


def test_what_it_would_take_stands_beside_what_there_is():
    text = results(judge([LINEAR | {"threshold": 0.98}], {"fading-summary": table()}))
    assert "| inconclusive | 5; 33 |" in text
    never = results(judge([LINEAR | {"threshold": 0.99}], {"fading-summary": table()}))
    assert "| inconclusive | 5; ∞ |" in never


def test_how_noise_fared_is_a_line_of_its_own():
    text = results(judge(THREE, {"fading-summary": table()}))
    assert "- 1 of these were judged with noise in the estimator's place too: 0 would be supported.\n" in text
    text = results(
        judge([CLAIM, CLAIM | {"claim": "too", "given": ["it-starts"]}, STARTS], {"fading-summary": table()})
    )
    assert "- 2 of these were judged with noise in the estimator's place too: 1 would be supported.\n" in text
    no_noise = table()[lambda rows: ~rows.estimator.isin(["random", "nearest-neighbours"])]
    assert "in the estimator's place" not in results(judge([CLAIM], {"fading-summary": no_noise})), "it was not tried"
    assert "in the estimator's place" not in results(judge([LINEAR], {"fading-summary": table()}))


def test_how_many_remain_after_holms_adjustment_is_a_line_of_its_own():
    text = results(judge(THREE, {"fading-summary": table()}))
    assert "- 1 of the paper's are supported also after Holm's adjustment for how many they are." in text
    assert "(not after Holm)" not in text
    claims = [THREE[0] | {"claim": name, "threshold": 0.123} for name in "abc"]
    judged = judge([*claims, STARTS, LINEAR], {"fading-summary": table()})
    assert (judged.verdict == SUPPORTED).all()
    assert "- 0 of the paper's are supported also after Holm's adjustment" in results(judged)
    assert results(judged).count("| supported (not after Holm) |") == 3, "of the paper alone"
    assert "Holm" not in results(judge([LINEAR], {"fading-summary": table()}))


def test_what_was_not_tested_is_counted_and_no_more():
    unknown = CLAIM | {"claim": "unknown", "table": "loo-summary", "sentence": "Nobody looked."}
    text = results(judge([*THREE, unknown], {"fading-summary": table()}))
    assert "- The paper's claims (2): 1 supported, 0 inconclusive, 0 contradicted, 1 not tested.\n" in text
    assert "- Our own (1): 1 supported, 0 inconclusive, 0 contradicted.\n" in text, "where none is left out"
    assert "Nobody looked" not in text
    assert "did not come out" not in text
    assert "nan" not in text
    untested = results(judge(THREE, {}))
    assert "- The paper's claims (1): 0 supported, 0 inconclusive, 0 contradicted, 1 not tested." in untested
    assert "|" not in untested


def test_the_committed_claims_are_those_that_are_made():
    default = read_plan(ROOT, "config/config.yaml")
    written = pd.DataFrame(default.claims).set_index("claim")
    committed = store.read(ROOT / "results/reference/default/claims.csv").set_index("claim")
    lacking = committed.index[(committed.verdict == NOT_TESTED) & committed.estimate.isna()]  # the rest is too few
    for claim in written.loc[lacking].itertuples():
        of = default.cases_of_experiment(default.tables[claim.table])
        regimes = default.regimes(claim.case) if claim.case in of else ()
        assert claim.where.get("regime", "calm") not in regimes, f"the default study tests {claim.Index}"
    written["given"] = written.given.str.join(", ").fillna("")
    committed["given"] = committed.given.fillna("")
    for column in ("sentence", "source", "assumption", "case", "direction", "threshold", *SAID):
        assert committed[column].to_dict() == written[column].to_dict(), (
            "the reference is of other claims: run it again"
        )
