"""The smoke study, run for real: what it makes, what reruns when something changes, what stays the same."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import ROOT, clone, snakemake
from fading.artefacts import pages, store  # noqa: F401, HTML
from fading.experiments import EXPERIMENTS
from fading.models.case import open_case
from fading.plan.settings import table_rule

ARTEFACTS = ("*.safetensors", "*.parquet", "*.csv", "*.json", "*.png", "*.svg")
TOPICS = (
    *("loo", "fading", "decomposition", "convexity", "stability", "trajectory", "expansion", "divergence"),
    *("memory", "removal", "correction", "planted", "gallery", "scale"),
)


def artefacts(folder: Path) -> dict[str, Path]:
    results = folder / "results" / "smoke"
    return {str(path.relative_to(results)): path for kind in ARTEFACTS for path in results.rglob(kind)}


def planned(folder: Path, *arguments: str) -> set[str]:
    """The rules of which a run would do jobs."""
    text = snakemake(folder, "--dry-run", *arguments).stdout
    if "Nothing to be done" in text:
        return set()
    rules = set(re.findall(r"^(\w+) +\d+$", text.split("Job stats:")[1], re.MULTILINE))
    assert "crate" in rules or arguments, "whatever changes is described anew"
    return rules - {"all", "study", "total", "crate"}


@pytest.fixture
def changed(smoke):
    """A function that edits a file of the smoke clone, tells what would rerun, and takes the edit back."""

    def after(file: str, edit, ask=planned) -> set[str]:
        path = smoke / file
        before, times = path.read_text(), path.stat()
        path.write_text(edit(before))
        try:
            return ask(smoke)
        finally:
            path.write_text(before)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    return after


def comment(text: str) -> str:
    return text + "\n# changed\n"


def setting(**changes):
    """An edit of smoke.yaml: dotted keys with __ for dots and _ for hyphens in names of cases."""

    def edit(text):
        config = json.loads(json.dumps(yaml.safe_load(text)))
        for key, value in changes.items():
            *path, last = key.split("__")
            place = config
            for part in path:
                place = place.setdefault(part, {})
            place[last] = value
        return yaml.safe_dump(config)

    return edit


PROMISED = {  # columns, and which of them may be empty
    "loo": ("case estimator train_index test_index predicted actual", ""),
    "fading": ("case regime seed estimator step spearman ci_low ci_high", ""),
    "decomposition": ("case regime part step share ci_low ci_high", ""),
    "divergence": ("case regime counterfactual step norm response_error", "response_error bound"),
    "convexity": ("case step value weight", ""),
    "stability": ("case curvature solver setting damping products residual agreement", ""),
    "trajectory": ("case estimator between step spearman ci_low ci_high", ""),
    "expansion": (
        "case regime train_index epsilon step norm remainder tracin_remainder",
        "remainder tracin_remainder random_remainder asymmetry nonadditivity",
    ),
    "memory": (  # of two test examples there is no correlation without one of them
        "case regime changed learning_rate batch_size estimator age spearman ci_low ci_high slope slope_low slope_high "
        "size",
        "spearman",
    ),
    "removal": ("case truth estimator removed share lds ci_low ci_high", ""),
    "correction": (
        "case method intervention k learning_rate step success retention ci_low ci_high",
        "taken retention_equal",
    ),
    "planted": ("case step method average_precision ci_low ci_high", ""),
    "scale": ("case parameters examples batch_size steps epochs test_accuracy ci_low ci_high", ""),
    "gallery": ("case method test_index kind place index label score text", "score predicted text"),
}


SMOKE = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
CORRECTED = ["resnet-fashion", "bert-reviews"]
LEFT_OUT_OF = [case for case in SMOKE["cases"] if "leave_one_out" in SMOKE["definitions"][case]]
OF_CASES = {  # of a topic, its cases where they are not those of the study
    **dict.fromkeys(["convexity", "stability", "trajectory"], SMOKE["assumptions"]["cases"]),
    **dict.fromkeys(["correction", "gallery"], CORRECTED),
    "planted": SMOKE["correction"]["planted"],
    **dict.fromkeys(["loo", "expansion"], LEFT_OUT_OF),
    **{topic: SMOKE[topic]["cases"] for topic in ("memory", "removal")},
}


def test_it_makes_every_promised_figure_and_table(smoke):
    made = artefacts(smoke)
    assert PROMISED.keys() == set(TOPICS)
    for topic, (columns, empty) in PROMISED.items():
        assert {f"figures/{topic}.svg", f"figures/{topic}.png"} <= made.keys()
        table = store.read(made[f"tables/{topic}.csv"])
        assert set(columns.split()) <= set(table.columns)
        uncertain = {name for name in table if re.search("(low|high|se_rows|se_columns)$", name)}  # of one run
        assert set(table.columns[table.isna().any()]) <= set(empty.split()) | uncertain
        assert set(table.case) == set(OF_CASES.get(topic, SMOKE["cases"]))
    assert {"figures/claims.svg", "figures/claims.png"} <= made.keys()


def test_a_run_prints_how_far_it_is_and_where_its_results_are_and_little_else(told):
    assert len(told) <= 40
    (count,) = (int(line.split()[0]) for line in told if re.match(r"\d+ jobs: data \d+, train ", line))
    assert any(re.match(rf" \d\d%  \d+ of {count} jobs, .+ left", line) for line in told)
    assert "Report: results/smoke/report.html" in told
    assert any(line.startswith("The paper's claims: ") for line in told)


def test_every_claim_on_the_smoke_study_has_a_verdict(smoke):
    claims = store.read(smoke / "results/smoke/claims.csv")
    promised = "claim assumption case statistic estimate ci_low ci_high threshold verdict"
    assert set(promised.split()) <= set(claims.columns)
    assert set(claims.verdict) <= {"supported", "contradicted", "inconclusive", "void", "not tested"}
    written = {claim["claim"]: claim for claim in yaml.safe_load((ROOT / "config/claims.yaml").read_text())}
    assert list(claims.claim) == list(written)
    tested = claims[claims.verdict != "not tested"]
    assert set(tested.case) == set(SMOKE["cases"]), "of planted errors claims are on a step that the study has not"
    lacks = {claim["assumption"] for claim in written.values()} - set(tested.assumption)
    assert lacks == {"stability", "correction"}, "two examples are too few to tell, and two targets of one run"
    lacking = claims[claims.verdict == "not tested"]
    assert lacking.ci_low.isna().all()
    assert {"resnet-relu-fashion", "logistic-reviews"} <= set(lacking.case)
    bounds = claims[claims.claim.str.startswith("bound-holds-")]
    assert len(bounds) == 2
    assert (bounds.verdict == "supported").all()
    table = store.read(smoke / "results/smoke/tables/divergence-summary.csv").set_index(["case", "statistic"])
    assert (
        claims.set_index("claim").estimate["bound-holds-resnet"] == table.estimate["resnet-fashion", "beyond the bound"]
    )


def test_every_artefact_carries_the_lineage_of_its_rule(smoke):
    lock = store.sha256(smoke / "envs/study.lock")
    for name, path in artefacts(smoke).items():
        if name.endswith(".json"):
            continue
        lineage = store.lineage(path)
        assert lineage["lock"] == lock
        assert lineage["threads"] == 1
        for file, recorded in {**lineage["inputs"], **lineage["code"]}.items():
            assert store.sha256(smoke / file) == recorded, (name, file)
        assert str(smoke) not in json.dumps(lineage)


def test_a_changed_threshold_is_judged_again(changed):
    edited = changed("config/claims.yaml", lambda text: text.replace("threshold: 0.99", "threshold: 0.98"))
    assert edited == {"claims", "figure_claims", "page"}


def test_a_second_run_does_nothing(smoke):
    assert planned(smoke) == set()
    for file in ("train/training.py", "fading/training/segment.py"):
        (smoke / "workflow/scripts" / file).touch()
    assert planned(smoke) == set(), "touching a file is not changing it"


def tables(*experiments: str) -> set[str]:
    """The rules of the tables that experiments make."""
    return {f"table_{name.replace('-', '_')}" for each in experiments for name in EXPERIMENTS[each].tables}


def shown(*experiments: str) -> set[str]:
    """The experiments, their tables, the figures that draw these, the claims, judged and drawn, and the page of all."""
    made = {name for each in experiments for name in EXPERIMENTS[each].tables}
    figures = {
        f"figure_{topic}"
        for experiment in EXPERIMENTS.values()
        for topic, drawn in experiment.figures.items()
        if made & set(drawn)
    }
    judged = {"claims", "figure_claims"} if made & CLAIMED else set()
    return set(experiments) | tables(*experiments) | figures | judged | {"page"}


CLAIMED = {claim["table"] for claim in yaml.safe_load((ROOT / "config/claims.yaml").read_text())}
ALL = set(EXPERIMENTS)
OF_REMOVAL = {"removal", "flips"}
FIGURES = {"page", "figure_claims", *(f"figure_{topic}" for topic in TOPICS)}
OF_CHECKPOINTS = {"spectrum", "scores", "retraining", "proximal", "up_weighting", "path"}
OF_BERT = ALL - {"convexity", "remedies", "stability", "trajectory", "planted", *OF_REMOVAL}  # in the smoke study
SCORED = ALL - {
    "divergence",
    "stability",
    "expansion",
    "convexity",
    "remedies",
    "seen",
    "scale",
}  # experiments that read rankings
RANKED = {"leave_one_out", "fading", "memory", "attempts", "gallery", *OF_REMOVAL}  # those that read all of a case
UP_WEIGHTED = {"up_weighting"} | shown("fading", "divergence")
CODE = [
    ("fading/figures/style.py", FIGURES),
    ("figures/loo.py", {"figure_loo", "page"}),
    ("fading/evidence/claims.py", {"claims", "figure_claims", "page"}),
    (
        "fading/evidence/tables.py",
        shown(*ALL) | {"figure_stability"},
    ),
    ("fading/experiments/fading.py", shown("fading")),
    ("fading/experiments/theory.py", UP_WEIGHTED),
    ("fading/derivatives/path.py", {"path"} | shown("fading", "divergence", "expansion")),
    ("fading/experiments/expansion.py", shown("expansion")),
    ("fading/experiments/stability.py", shown("stability", "convexity", "remedies")),
    ("fading/experiments/remedies.py", shown("remedies")),
    ("fading/experiments/leave_one_out.py", shown("leave_one_out")),
    ("fading/influence/abif.py", {"scores"} | shown(*(SCORED - {"planted"}))),
    ("fading/influence/cg.py", {"scores"} | shown(*RANKED)),
    ("fading/influence/unrolled.py", {"scores"} | shown("leave_one_out", "seen", *OF_REMOVAL)),
    ("fading/influence/datainf.py", {"scores"} | shown(*OF_REMOVAL)),
    ("fading/experiments/memory.py", shown("memory")),
    ("fading/experiments/seen.py", shown("seen")),
    ("fading/experiments/removal.py", shown("removal")),
    ("fading/experiments/flips.py", shown("flips")),
    ("fading/training/subsets.py", {"removed"} | shown("removal")),
    ("figures/memory.py", {"figure_memory", "page"}),
    ("fading/experiments/correction/attempts.py", shown("attempts")),
    ("fading/experiments/correction/success.py", shown("attempts") - {"attempts", "gallery"}),
    ("fading/experiments/correction/planted.py", shown("planted")),
    ("fading/experiments/correction/gallery.py", shown("gallery")),
    ("fading/data/minilm.py", {"download", "examples", "training"} | OF_CHECKPOINTS | shown(*OF_BERT)),
    ("fading/models/bert.py", {"training"} | OF_CHECKPOINTS | shown(*OF_BERT)),
    ("fading/plan/settings.py", set()),
    ("fading/provenance/audit.py", set()),
]


@pytest.mark.parametrize(("module", "expected"), CODE)
def test_editing_a_module_reruns_exactly_what_depends_on_it(changed, module, expected):
    assert changed(f"workflow/scripts/{module}", comment) == expected


RESNET, CONVEX = "definitions__resnet-fashion", "definitions__logistic-fashion"
FORKED = {"path"} | UP_WEIGHTED | shown("expansion")
LEFT_OUT = {"retraining", "proximal"} | shown("stability", "convexity", "remedies", "leave_one_out")
SETTINGS = [
    ({"study": "smoke"}, set()),
    ({f"{RESNET}__leave_one_out__count": 3}, LEFT_OUT | shown("removal")),
    ({f"{RESNET}__influence__window": 3}, {"scores"} | shown("leave_one_out", "seen", *OF_REMOVAL) - {"seen"}),
    ({f"{RESNET}__influence__tests": 3}, {"scores"} | shown("leave_one_out", "seen", *OF_REMOVAL)),
    ({"memory__tests": 4}, shown("memory")),
    ({f"{RESNET}__removal__subsets": 5}, {"removed"} | shown("removal")),
    ({"removal__shares": [0.05, 0.2]}, {"removed"} | shown("removal")),
    ({"removal__counts": [10, 20]}, shown("flips")),
    ({"memory__ages": [1, 2, 3]}, shown("memory")),
    ({"peers__repeats": 2}, set()),
    ({f"{RESNET}__up_weighting__epsilon": 2}, UP_WEIGHTED),
    ({f"{RESNET}__up_weighting__steps": [1, 2, 9]}, {"continuation_batches"} | FORKED),
    ({f"{RESNET}__regimes": [{"name": "calm", "from": 8, "learning_rate": 0.02}]}, FORKED | shown("memory")),
    (
        {"spectrum__keep": 3},
        {"spectrum", "scores", "up_weighting"} | shown(*ALL - {"planted", "expansion", "seen", "scale"}),
    ),
    ({"assumptions__dampings": [0.1, 1, 2]}, shown("stability", "convexity", "remedies")),
    ({"assumptions__steps": 3}, shown("expansion")),
    ({"correction__steps": [1, 3, 4]}, shown("attempts")),
    ({"correction__recovery": 3}, shown("planted")),
    ({"claims": ["bound-holds-bert"]}, {"claims", "figure_claims", "page"}),
]


@pytest.mark.parametrize(("changes", "expected"), SETTINGS)
def test_editing_a_setting_reruns_exactly_what_depends_on_it(changed, changes, expected):
    assert changed("config/smoke.yaml", setting(**changes)) == expected


def test_another_estimator_is_scored_and_no_other_again(changed):
    estimators = ["gradient-dot", "abif", "exact", "gradient-cosine"]
    edit = setting(**{f"{CONVEX}__estimators": estimators})
    assert changed("config/smoke.yaml", edit) == {"scores"} | shown("leave_one_out", "fading")
    assert changed("config/smoke.yaml", edit, scored) == {"gradient-cosine"}


def scored(folder: Path) -> set[str]:
    """The estimators that a run would score."""
    text = snakemake(folder, "--dry-run").stdout
    return set(re.findall(r"^rule scores:\n(?: +.*\n)*? +wildcards: .*estimator=([\w-]+)", text, re.MULTILINE))


def test_the_numbers_are_those_that_theory_requires(smoke):
    fading = store.read(smoke / "results/smoke/tables/fading.csv")
    first = fading[fading.step == 1].set_index(["case", "estimator"]).spearman
    for case in ("resnet-fashion", "bert-reviews", "logistic-fashion"):
        assert first[case, "linear-response"] > 0.99, case
        assert first[case, "gradient-dot"] > 0.95, case
    divergence = store.read(smoke / "results/smoke/tables/divergence.csv")
    for _, regime in divergence.groupby(["case", "regime", "seed"]):
        assert (regime[regime.counterfactual == "A/A null"].norm == 0).all()
        assert (regime.counterfactual == "A/A null").sum() == regime.step.nunique()
        responded = regime[regime.response_error.notna()]
        assert (responded.counterfactual == "up-weighted").all()
        first = responded[
            (responded.step == 1) & (responded.case != "bert-adamw-reviews")
        ]  # nor is AdamW's step linear
        assert first.empty or first.response_error.max() < 0.01, "the first step is linear but for rounding"
    logistic = divergence[divergence.case == "logistic-fashion"]
    assert (logistic.counterfactual == "up-weighted").sum() == 10 * 3
    assert logistic.response_error.notna().sum() == 10 * 3, "more than one job's share"
    expansion = store.read(smoke / "results/smoke/tables/expansion-summary.csv")
    slopes = expansion[(expansion.statistic == "slope") & (expansion.case != "bert-adamw-reviews")]
    assert slopes.estimate.between(1.9, 2.1).all()
    convexity = store.read(smoke / "results/smoke/tables/convexity-summary.csv")
    ratio = convexity[convexity.statistic == "smallest to largest eigenvalue"].groupby("case").estimate.last()
    assert ratio["resnet-fashion"] < 0 < ratio["logistic-fashion"]
    shares = store.read(smoke / "results/smoke/tables/decomposition.csv")
    np.testing.assert_allclose(shares.groupby(["case", "regime", "step"]).share.sum(), 1)


def test_memory_and_removal_are_of_what_was_asked(smoke):
    memory, checks, seen, removal, sizes, flips = (
        store.read(smoke / f"results/smoke/tables/{name}.csv")
        for name in ("memory", "memory-checks", "memory-seen", "removal", "removal-size", "removal-flips")
    )
    at_their_time = {"gradient-dot-at-its-time", "step-dot-at-its-time", "horizon-once"}
    of_sgd, of_adamw = (memory[memory.case == case] for case in ("resnet-fashion", "bert-adamw-reviews"))
    assert at_their_time <= set(of_sgd.estimator)
    assert at_their_time & set(of_adamw.estimator) == at_their_time - {"horizon-once"}
    assert set(memory.age) == set(SMOKE["memory"]["ages"])
    settings = of_sgd[["changed", "learning_rate", "batch_size"]].drop_duplicates()
    assert set(settings.itertuples(index=False, name=None)) == {
        ("nothing", 0.01, 32),
        ("learning rate", 0.02, 32),
        ("batch size", 0.01, 64),
    }
    by_age = of_sgd.set_index(["learning_rate", "batch_size", "age", "estimator"])
    for value in ("slope", "size"):
        dots = (
            by_age.xs(name, level="estimator")[value] for name in ("gradient-dot-at-its-time", "step-dot-at-its-time")
        )
        np.testing.assert_array_equal(*dots, err_msg="a step of SGD is the gradient's")
    assert set(checks.case) == set(SMOKE["memory"]["cases"])
    shares = seen[seen.statistic == "share of influence"].groupby("case").estimate.sum()
    np.testing.assert_allclose(shares, 1)
    case = SMOKE["definitions"]["resnet-fashion"]
    ladder = {*case["estimators"], *case["removal"]["estimators"]}
    assert set(removal.estimator) == ladder | {"another order"}, "there is no other seed"
    assert set(removal.truth) == {"this run", "mean of runs"}
    assert set(removal.removed) == {1, 10, 100}
    assert set(sizes.removed) == {0, 1, 10, 100}
    one_ulp = sizes[sizes.what == "one unit in the last place"]
    assert one_ulp["size"].item() < sizes[sizes.removed == 100]["size"].item()
    assert (flips.pivot(index="ranking", columns="removed", values="flipped").diff(axis=1).iloc[:, 1:] >= 0).all(
        axis=None
    )


def test_corrections_by_every_method_and_intervention(smoke):
    table = store.read(smoke / "results/smoke/tables/correction.csv")
    methods = {
        "resnet-fashion": {"abif", "cg", "ekfac", "gradient-cosine", "gradient-dot", "lissa", "minres", "tracin"},
        "bert-reviews": {"abif", "cg", "ekfac", "gradient-dot"},
    }
    controls = {"random", "random-of-label", "nearest-neighbours", "label-neighbours", "target"}
    for case, estimators in methods.items():
        mine = table[table.case == case]
        assert set(mine.intervention) == {"descend", "ascend", "relabel", "drop", "mislead", "retrain"}
        descents = mine[mine.intervention == "descend"]
        assert set(descents.method) == {*estimators, *controls, "gradient-dot-half-way"}
        itself = descents[descents.method == "target"]
        assert (itself.loss_change < 0).all()
    assert table.retention.between(0, 1).all()
    for low, value, high in (("ci_low", "success", "ci_high"), ("retention_low", "retention", "retention_high")):
        told = table.dropna(subset=low)  # two targets are too few to tell
        assert ((told[low] <= told[value] + 1e-9) & (told[value] <= told[high] + 1e-9)).all()
    by_step = table[table.intervention != "retrain"].pivot_table("success", ["case", "method", "intervention"], "step")
    assert (by_step.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None), "more steps correct no less"
    paired = store.read(smoke / "results/smoke/tables/correction-paired.csv")
    rates = table.set_index(["case", "method", "intervention", "k", "learning_rate", "step"]).success
    for row in paired[paired.method != "target"].itertuples():
        at = (row.case, row.method, row.intervention, row.k, row.learning_rate, row.step)
        assert row.difference == pytest.approx(rates[at] - rates[(row.case, row.control, *at[2:])])
    gallery = store.read(smoke / "results/smoke/tables/gallery.csv")
    ranked = gallery[gallery.kind != "target"].groupby(["case", "test_index", "method", "kind"]).score
    assert (ranked.max().unstack().helpful < ranked.min().unstack().harmful).all()
    by_gradients = gallery[gallery.method == "gradient-dot"]
    assert (by_gradients[by_gradients.kind == "helpful"].score < 0).all()
    assert (by_gradients[by_gradients.kind == "harmful"].score > 0).all()
    assert gallery.groupby("case").test_index.nunique().to_dict() == dict.fromkeys(methods, 3)
    planted = smoke / "results/smoke/resnet-planted"
    examples = store.read(planted / "examples.safetensors")
    case = open_case(store.lineage(planted / "seed-0/checkpoints.safetensors")["settings"], examples)
    assert (case.train.labels.numpy() != examples["train_labels"]).sum() == 40


def correct(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [str(Path(sys.executable).parent / "fading"), "correct", "--study", "smoke", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_correcting_one_example_agrees_with_the_study(smoke, tmp_path):
    shutil.copytree(smoke / "results", tmp_path / "results")
    for folder in ("resources", "envs", "workflow"):
        (tmp_path / folder).symlink_to(smoke / folder)
    trials = store.read(smoke / "results/smoke/bert-reviews/seed-0/corrections/trials.parquet")
    mine = trials[(trials.method == "gradient-dot") & (trials.step == 5) & (trials.intervention != "mislead")]
    target = mine.test_index.iloc[0]
    index = str(target)
    done = correct(tmp_path, "bert-reviews", "--test-index", index, "--examples", "3", "--steps", "5")
    assert done.returncode == 0, done.stderr
    assert re.search(rf"test example {index}: predicted (negative, is positive|positive, is negative)", done.stdout)
    assert "\\x" not in done.stdout, "nothing is there that can't be printed"
    said = {"descend": "descend on helpful", "relabel": "relabel harmful", "ascend": "ascend on harmful"}
    said["drop"] = "go on without harmful"
    for intervention, words in said.items():
        (row,) = mine[(mine.test_index == target) & (mine.intervention == intervention)].itertuples()
        taken = f"after {row.taken:.0f} step" if row.success else "no "
        loss = f"{row.loss_before:.2f} → {row.loss:.2f}"
        assert re.search(rf"{words} +{taken}\w* +{loss} +\d+ of 31 changed", done.stdout), done.stdout
    gallery = store.read(smoke / "results/smoke/tables/gallery.csv")
    shown = gallery[(gallery.case == "bert-reviews") & (gallery.test_index == target)]
    for row in shown[(shown.method == "gradient-dot") & (shown.kind != "target")].itertuples():
        assert re.search(rf"^ +{row.index} +{row.label} +{re.escape(f'{row.score:+.3g}')}$", done.stdout, re.MULTILINE)
    drawn = tmp_path / f"correct-smoke-bert-reviews-0-{index}-gradient-dot.png"
    told = drawn.with_suffix(".html")
    for made in (drawn, told):
        store.check(made)
    page = told.read_text()
    assert not re.search(r"<script>|(?:src|href)=\"(?!data:)", page), "it needs no other file; its lineage is data"
    assert page.count('<th scope="row">') == len(said)
    assert all(f'<th scope="row">{words}</th>' in page for words in said.values())
    lineage = store.lineage(drawn)
    assert "workflow/scripts/fading/influence/gradient_dot.py" in lineage["code"]
    assert lineage["wildcards"] == {"case": "bert-reviews", "seed": "0", "study": "smoke", "test_index": index}
    for by in ("label-neighbours", "tracin"):
        again = correct(tmp_path, "resnet-fashion", "--test-index", resnet_target(smoke), "--examples", "3", "--by", by)
        assert again.returncode == 0, again.stderr


def resnet_target(smoke) -> str:
    gallery = store.read(smoke / "results/smoke/tables/gallery.csv")
    return str(gallery[gallery.case == "resnet-fashion"].test_index.iloc[0])


def test_correct_says_in_a_sentence_what_it_cannot_do(smoke, tmp_path):
    for folder in ("results", "resources", "envs", "workflow"):
        (tmp_path / folder).symlink_to(smoke / folder)
    wrong = store.read(smoke / "results/smoke/bert-reviews/seed-0/corrections/trials.parquet")
    right = wrong[wrong.intervention == "mislead"].test_index.iloc[0]
    for arguments, sentence in (
        (("bert-reviews", "--test-index", "32"), "--test-index: found 32; accepted is 0 to 31, the test examples of"),
        (("bert-reviews", "--test-index", "-1"), "--test-index: found -1; accepted is 0 to 31"),
        (
            ("bert-reviews", "--test-index", str(right)),
            f"Test example {right} of bert-reviews is already predicted right",
        ),
        (
            ("bert", "--test-index", "0"),
            "There is no checkpoint results/smoke/bert/seed-0/checkpoints.safetensors: there",
        ),
        (
            ("bert-reviews", "--test-index", "0", "--seed", "7"),
            "seed-7/checkpoints.safetensors: there are bert-adamw-reviews (seed-0), bert-reviews",
        ),
        (("bert-reviews", "--test-index", "0", "--steps", "0"), "--steps: found 0; accepted is 1 or more"),
    ):
        done = correct(tmp_path, *arguments)
        assert done.returncode != 0
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.png"))


def test_peers_and_benchmark_measure_and_print(smoke, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(smoke, folder)
    config, case = folder / "config/smoke.yaml", "logistic-fashion"
    estimators = ["gradient-dot", "abif", "exact", "unrolled", "nearest-neighbours", "random"]
    sections = ("peers", "assumptions", "memory", "removal", "correction")
    alone = {"cases": [case], **{f"{section}__cases": [case] for section in sections}}
    alone |= {"removal__flipped": [case], "removal__rankings": ["unrolled"]}
    alone |= {f"{CONVEX}__estimators": estimators, f"{CONVEX}__removal": {"subsets": 3, "again": 0}}
    config.write_text(setting(**alone)(config.read_text()))
    done = snakemake(folder, "peers", "benchmark", "--cores", "2")
    results = folder / "results/smoke"
    table = store.read(results / "tables/peers.csv")
    promised = "library estimator case relative_error spearman seconds seconds_ours"
    assert set(promised.split()) <= set(table.columns)
    assert set(table.library) == {"curvlinops", "dattri", "bergson"}
    assert table.relative_error.max() < 1e-6, "that of what isn't installed is empty"
    assert store.lineage(results / "figures/peers.png")["rule"] == "figure_peers"
    benchmark = store.read(results / "tables/benchmark.csv").set_index("what")
    assert benchmark.steps["training step"] == 1
    assert (benchmark.drop(columns=["case", "mebibytes"]) > 0).all(axis=None)  # memory depends on what is paged in
    assert "Hessian product, same point" in done.stdout + done.stderr, "printed, not only written"


def test_each_stage_is_a_target_of_its_own(smoke):
    stages = "data train influence retrain effects assumptions correction claims figures crate"
    assert planned(smoke, *stages.split()) == set(), "each is known, and done"
    assert planned(smoke, "--forcerun", "spectrum", "--until", "spectrum") == {"spectrum"}


def test_one_core_gives_the_same_bytes_as_two(smoke, tmp_path):
    folder = clone(tmp_path)
    shutil.copytree(smoke / "resources", folder / "resources")
    run = "resnet-fashion/seed-0"
    wanted = {f"{run}/loo.parquet", f"{run}/regimes/calm/fading.parquet"}
    snakemake(folder, *(f"results/smoke/{file}" for file in wanted), "--cores", "1")
    ours, theirs = artefacts(smoke), artefacts(folder)
    assert wanted < theirs.keys() < ours.keys()
    assert f"{run}/proximal.safetensors" in theirs
    differing = [name for name in theirs if ours[name].read_bytes() != theirs[name].read_bytes()]
    assert differing == []


def test_a_killed_run_leaves_no_output_and_the_next_run_finishes(smoke, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(smoke, folder)
    target, log = "results/smoke/resnet-fashion/seed-0/spectrum/8", "results/smoke/logs/spectrum/resnet-fashion.0.8"
    whole = (folder / f"{target}.safetensors").read_bytes()
    (folder / f"{target}.safetensors").unlink()
    (folder / f"{log}.log").unlink()
    command = [sys.executable, "-m", "snakemake", "--configfile", "config/smoke.yaml", "--cores", "1"]
    command.append(f"{target}.safetensors")
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=folder, start_new_session=True, **silent) as running:
        while not (folder / f"{log}.log").exists():  # written once the job is at work
            assert running.poll() is None
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGKILL)
    assert not (folder / f"{target}.safetensors").exists()
    snakemake(folder, f"{target}.safetensors", "--cores", "1")
    assert (folder / f"{target}.safetensors").read_bytes() == whole


def test_no_limit_of_jobs_a_second_holds_up_one_machine(smoke, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(smoke, folder)
    wanted = [f"results/smoke/figures/{topic}.png" for topic in ("stability", "trajectory")]
    for file in wanted:
        (folder / file).unlink()
    command = [sys.executable, "-m", "snakemake", *wanted, "--configfile", "config/smoke.yaml", "--cores", "1"]
    command += ["--max-jobs-per-timespan", "1/1h"]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=True)
    assert all((folder / file).is_file() for file in wanted)


def test_a_failing_job_says_why_in_one_sentence_and_leaves_nothing(smoke, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(smoke, folder)
    config = folder / "config/smoke.yaml"
    config.write_text(setting(**{f"{CONVEX}__training__weight_decay": 1e6})(config.read_text()))
    checkpoints = "results/smoke/logistic-fashion/seed-0/checkpoints.safetensors"  # of several any might fail first
    failed = snakemake(folder, checkpoints, "--cores", "1", check=False)
    assert failed.returncode != 0
    assert re.search(
        r"Training diverged: the loss is \w+ at step \d+; lower the learning rate\.", failed.stdout + failed.stderr
    )
    assert not (folder / checkpoints).exists()


def test_a_file_of_another_study_is_not_made_from_this_ones(tmp_path):
    folder = clone(tmp_path)
    asked = snakemake(folder, "--dry-run", "results/default/tables/loo.csv", check=False)
    assert asked.returncode != 0
    assert "results/default/tables/loo.csv" in asked.stdout + asked.stderr


def test_a_bad_configuration_is_one_sentence(tmp_path):
    folder = clone(tmp_path)
    config = folder / "config/smoke.yaml"
    config.write_text(setting(cases=["resnet"])(config.read_text()))
    failed = snakemake(folder, "--dry-run", check=False)
    assert failed.returncode != 0
    assert "cases: found resnet; defined are " in failed.stdout + failed.stderr
    assert not (folder / "results/smoke").exists()


def test_trace_ends_at_the_pinned_downloads(smoke):
    fading = [str(Path(sys.executable).parent / "fading"), "trace"]
    done = subprocess.run(
        [*fading, "results/smoke/figures/fading.png"], cwd=smoke, capture_output=True, text=True, check=True
    )
    for pin in (
        "train-images-idx3-ubyte sha256:c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "vaderSentiment-2.5.tar.gz sha256:b960c954831f5ca58afee61780cc04ed48e551b91e783bfcbfb2c18bb8081a84",
        "model.safetensors sha256:53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ):
        assert pin in done.stdout
    assert "CHANGED" not in done.stdout
    assert "not here" not in done.stdout
    assert re.search(r"^\d+ files: \d+ as recorded$", done.stdout.splitlines()[-1])
    missing = subprocess.run([*fading, "no.png"], cwd=smoke, capture_output=True, text=True, check=False)
    assert (missing.returncode, missing.stderr) == (3, "fading: no.png does not exist.\n")


def test_trace_of_a_copied_figure_says_what_it_knows(smoke, tmp_path):
    shutil.copy(smoke / "results/smoke/figures/loo.svg", tmp_path)
    command = [str(Path(sys.executable).parent / "fading"), "trace", "loo.svg"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "rule figure_loo study=smoke topic=loo" in done.stdout
    assert re.search(r"results/smoke/tables/loo.csv sha256:\w{12} \(not here\)", done.stdout)


def test_the_report_shows_every_figure_with_its_caption(smoke, tmp_path):
    snakemake(smoke, "--report", str(tmp_path / "report.html"))
    report = (tmp_path / "report.html").read_text()
    for beginning in (
        "How well each estimator",
        "Predicted against actual change",
        "Above, how far",
        "Every claim on what the study has",
        "Every claim of config/claims.yaml",
        "Predicted and actual change of test loss",
        "What share of the gradient dot product",
    ):
        assert beginning in report
    experiments = {table: name for name, experiment in EXPERIMENTS.items() for table in experiment.tables}
    for table, experiment in experiments.items():
        assert f'snakemake.rule == "{table_rule(table)}"' in (ROOT / f"workflow/report/{experiment}.rst").read_text()
        assert f"{table}.csv" in report
