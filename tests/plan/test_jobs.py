"""The plan of a study in plain Python is what Snakemake makes of the rules."""

import copy
import math
import re
from collections import Counter

import pytest
import yaml
from conftest import ROOT, clone, snakemake
from fading.influence import ESTIMATORS
from fading.plan.jobs import ON_REQUEST, STUDY, PlannedJob, jobs
from fading.plan.naming import job_file, job_name
from fading.plan.plan import CHUNK, REMOVALS, Plan, read_plan
from fading.plan.settings import settings as settings_of
from fading.plan.wiring import Need
from fading.training.counterfactuals import left_out, up_weighted

PAGE = "page"  # says in its captions of how many examples curvature is


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_plan(ROOT, "config/config.yaml")


@pytest.fixture(scope="module")
def resnet(plan) -> dict:
    """What the configuration says of the ResNet."""
    return plan.definition("resnet-fashion")


@pytest.fixture(scope="module")
def planned(plan) -> dict[str, PlannedJob]:
    return {job.name: job for job in jobs(plan, STUDY)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("study", "asked", "targets"),
    [("config", ["all"], [STUDY]), ("smoke", ["all"], [STUDY]), ("smoke", ["peers", "benchmark"], ON_REQUEST)],
)
def test_the_jobs_are_those_of_snakemakes_graph(tmp_path, study, asked, targets):
    folder = clone(tmp_path)
    text = snakemake(folder, "--dry-run", *asked, study=study).stdout
    blocks = re.findall(r"^(?:local)?rule (\w+):\n((?: +.*\n)+)", text, re.MULTILINE)
    theirs = Counter()
    for rule, block in blocks:
        wildcards = re.search(r"^ +wildcards: (.*)$", block, re.MULTILINE)
        values = dict(pair.split("=", 1) for pair in wildcards[1].split(", ")) if wildcards else {}
        theirs[job_name(rule, values)] += 1
    theirs.pop("all", None)
    ours = Counter(job.name for job in jobs(read_plan(folder, f"config/{study}.yaml"), *targets))
    assert ours == theirs
    assert set(ours.values()) == {1}


@pytest.mark.parametrize(
    "study", sorted(file.stem for file in (ROOT / "config").glob("*.yaml") if file.stem != "claims")
)
def test_every_study_can_be_planned(study):
    named = {job.name for job in jobs(read_plan(ROOT, f"config/{study}.yaml"), STUDY)}
    assert {"crate", "claims"} < named


def test_each_job_comes_after_those_that_it_reads(planned):
    before = set()
    for name, job in planned.items():
        assert {job_name(need.rule, need.wildcards) for need in job.reads} <= before, name
        before.add(name)


def test_counterfactuals_are_counted_by_what_makes_them(plan, planned):
    for case in plan.cases:
        definition = plan.definition(case)
        examples, weighted = definition["examples"]["train"], definition["up_weighting"]["examples"]
        made = {"up_weighting": up_weighted(range(weighted), weighted, 1), "retraining": []}
        if left := definition.get("leave_one_out"):
            made["retraining"] = left_out(range(examples), left["count"], left["twice"], left["size"])
        for rule, counterfactuals in made.items():
            chunks = {
                job.wildcards["chunk"]
                for job in planned.values()
                if (job.rule, job.wildcards.get("case")) == (rule, case)
            }
            assert chunks == {str(chunk) for chunk in range(-(-len(counterfactuals) // CHUNK))}


@pytest.mark.parametrize(
    ("left", "weighted", "chunks"),
    [
        ((7, 7, 2), 6, (3, 1)),
        ((7, 7, 7), 7, (2, 2)),
        ((4, 4, 4), 14, (2, 2)),
        ((4, 4, 2), 15, (2, 3)),
        ((12, 4, 4), 6, (3, 1)),
    ],  # 8 of them in each
)
def test_every_single_group_null_and_floor_counts(left, weighted, chunks):
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    case = config["definitions"]["resnet-fashion"]
    case["leave_one_out"] = dict(zip(("count", "twice", "size"), left, strict=True)) | {"proximal": 2}
    case["up_weighting"]["examples"] = weighted
    plan = Plan(config, yaml.safe_load((ROOT / "config/claims.yaml").read_text()))
    made = plan.retraining_chunks("resnet-fashion"), plan.up_weighting_chunks("resnet-fashion")
    assert tuple(map(len, made)) == chunks


def test_settings_hold_what_a_result_depends_on(plan, planned, resnet):
    training = planned["training resnet-fashion 1"].settings
    rate, end = resnet["training"]["learning_rate"], resnet["training"]["steps"]
    assert (training["learning_rate"], training["seed"], training["classes"]) == (rate, 1, 10)
    assert training["schedule"] == {"warm_up": 20, "end": end}
    going_on = planned["up_weighting resnet-fashion 0 calm 0"].settings
    assert going_on["learning_rate"] == plan.regimes("resnet-fashion")["calm"]["learning_rate"] != rate
    assert "schedule" not in going_on, "a regime's rate is constant"
    assert "schedule" not in planned["training logistic-fashion 0"].settings
    again = planned["batches resnet-fashion 0-order-1"].settings
    assert again == planned["batches resnet-fashion 0"].settings | {"seed": 1}, "the same start in another order"
    assert planned["training resnet-fashion 0-order-1"].settings["seed"] == 0
    assert planned["expansion resnet-fashion calm 0"].settings["model"]["precision"] == "float64"


def test_a_regime_has_a_rate_of_its_own():
    full = read_plan(ROOT, "config/full.yaml")
    named = {job.name: job for job in jobs(full, STUDY)}
    diverging = full.regimes("bert-reviews")["diverging"]["learning_rate"]
    assert named["path bert-reviews diverging 2"].settings["learning_rate"] == diverging
    assert "path bert-reviews diverging 3" not in named, "of its first seeds"


def test_an_ensemble_is_of_the_models_of_all_runs(trained):
    plan = altered(removal=trained["removal"] | {"estimators": ["trak", "trak-ensemble"]}, alone=["resnet-fashion"])
    named, end = {job.name: job for job in jobs(plan, STUDY)}, plan.end("resnet-fashion")
    alone, averaged = (named[f"scores resnet-fashion {name} 0 {end}"] for name in ("trak", "trak-ensemble"))
    assert alone.settings == averaged.settings
    assert [need.wildcards["run"] for need in averaged.reads if need.rule == "training"] == ["0", "1", "2", "3", "4"]
    assert [need.wildcards["run"] for need in alone.reads if need.rule == "training"] == ["0"]


def test_memory_is_along_the_regimes_of_a_run_and_along_others_of_the_first():
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    case = config["definitions"]["resnet-fashion"]
    end, size = case["training"]["steps"], case["training"]["batch_size"]
    case["regimes"] = [
        {"name": "calm", "from": end, "learning_rate": 0.02, "factors": [0.5, 2], "seeds": 1},
        {"name": "edge", "from": end, "learning_rate": 0.1, "seeds": 3},
        {"name": "early", "from": 141, "learning_rate": 0.1},
    ]
    config["seeds"] = [0, 1, 2, 3, 4]
    config["memory"]["tests"] = 9
    plan = Plan(config, yaml.safe_load((ROOT / "config/claims.yaml").read_text()))
    planned = {job.name: job for job in jobs(plan, STUDY)}
    first, third, last = (planned[f"memory resnet-fashion {run}"].settings for run in (0, 2, 4))
    keys = ("regime", "changed", "learning_rate", "batch_size")
    calm, edge = ("calm", "nothing", 0.02, size), ("edge", "nothing", 0.1, size)
    slower, faster = (("calm", "learning rate", rate, size) for rate in (0.01, 0.04))
    smaller, larger = (("calm", "batch size", 0.02, batch) for batch in (size // 2, 2 * size))
    others = [slower, smaller, faster, larger]
    for settings, stretches in ((first, [calm, edge, *others]), (third, [calm, edge]), (last, [calm])):
        assert settings["stretches"] == [dict(zip(keys, stretch, strict=True)) for stretch in stretches]
    assert first["tests"] == last["tests"] == 9
    assert (first["from"], first["order"], last["order"], last["seed"]) == (end, 0, 4, 4)
    assert (first["model"]["precision"], first["precise"]["precision"]) == ("float32", "float64")


def test_what_was_seen_when_is_of_the_first_run_and_read_from_what_replays_it():
    planned = {job.name: job for job in jobs(read_plan(ROOT, "config/full.yaml"), STUDY)}
    cases = ("resnet-relu-fashion", "bert-reviews", "bert-adamw-reviews")
    assert {name for name, job in planned.items() if job.rule == "seen"} == {f"seen {case} 0" for case in cases}
    for case in cases:
        (uses,) = (need for need in planned[f"seen {case} 0"].reads if need.rule == "scores")
        assert uses.wildcards["estimator"] == "unrolled"


def altered(alone: list[str] | None = None, **changes) -> Plan:
    """The full study's plan with other keys in the ResNet's definition, None to leave one out; its run is whole.

    Parts are left out and assumptions looked at without the ResNet, or of the cases `alone`.
    """
    full = read_plan(ROOT, "config/full.yaml")
    config = copy.deepcopy(full.config)
    case = config["definitions"]["resnet-fashion"]
    case |= {"estimators": [*case["estimators"], "unrolled"]} | changes
    config["definitions"]["resnet-fashion"] = {key: value for key, value in case.items() if value is not None}
    for section in ("removal", "assumptions"):
        config[section]["cases"] = alone or [case for case in config[section]["cases"] if case != "resnet-fashion"]
    config["removal"] |= {"flipped": config["removal"]["cases"][-1:], "rankings": ["unrolled"]}
    return Plan(config, full.every_claim)


@pytest.fixture(scope="module")
def trained() -> dict:
    """What the full study says of the ResNet."""
    return read_plan(ROOT, "config/full.yaml").definition("resnet-fashion")


def test_what_a_case_lacks_is_not_measured_of_it_and_a_table_of_nothing_is_not_made(trained):
    windowed = altered(influence=trained["influence"] | {"window": 60})
    assert "resnet-fashion" not in windowed.cases_of_experiment("seen")
    assert windowed.cases_of_experiment("seen") == ["resnet-relu-fashion", "bert-reviews", "bert-adamw-reviews"]
    kept = altered(leave_one_out=None)
    leaving_out = [case for case in kept.cases if "leave_one_out" in kept.definition(case)]
    assert kept.cases_of_experiment("leave_one_out") == leaving_out
    assert {"bert-reviews", "resnet-fashion", "resnet16-fashion"} & set(leaving_out) == {"bert-reviews"}
    rules = {job.rule for job in jobs(kept, STUDY) if job.wildcards.get("case") == "resnet-fashion"}
    assert "memory" in rules
    assert not {"retraining", "proximal", "leave_one_out", "removed"} & rules
    config = windowed.config | {"memory": windowed.config["memory"] | {"cases": ["resnet-fashion"]}}
    alone = Plan(config, windowed.every_claim)
    by_rule = {job.rule: job for job in jobs(alone, STUDY)}
    assert "memory-seen" not in alone.tables
    assert "table_memory_seen" not in by_rule
    assert {need.rule for need in by_rule["figure_memory"].reads} == {"table_memory", "table_memory_half_life"}


def test_candidates_are_scored_but_in_a_run_that_examples_are_left_out_of(trained):
    def drawn(plan):
        named = {job.name: job for job in jobs(plan, STUDY) if job.rule == "scores"}
        return [
            named[f"scores resnet-fashion gradient-dot {run} {plan.end('resnet-fashion')}"].settings.get("candidates")
            for run in (0, 1)
        ]

    def chosen(plan):
        named = {job.name: job for job in jobs(plan, STUDY) if job.rule == "attempts"}
        return [named[f"attempts resnet-fashion {run}"].settings.get("candidates") for run in (0, 1)]

    everything = {name: count for name, count in trained["examples"].items() if name != "candidates"}
    examples = everything | {"candidates": 1400}
    end, size = trained["training"]["steps"], trained["training"]["batch_size"]
    first, second = ({"count": 1400, "from": end, "batch_size": size, "order": order} for order in (0, 1))
    assert drawn(altered(examples=everything)) == [None, None]
    assert drawn(altered(examples=examples)) == [None, second]
    assert chosen(altered(examples=examples)) == [first, second], "corrections of all runs choose from as many"
    assert chosen(altered(examples=everything)) == [None, None]
    assert drawn(altered(examples=examples, leave_one_out=None)) == [first, second]
    drawing = [
        settings_of(altered(examples=counts), "examples", {"case": "resnet-fashion"})
        for counts in (examples, everything)
    ]
    assert drawing[0] == drawing[1], "the same are drawn"


def test_parts_are_left_out_of_the_first_run_and_the_first_of_them_of_two_others(trained):
    subsets, again, shares = 40, 12, 2
    plan = altered(removal=trained["removal"] | {"subsets": subsets, "again": again}, alone=["resnet-fashion"])
    planned = {job.name: job for job in jobs(plan, STUDY)}
    removed = [job for job in planned.values() if job.rule == "removed"]
    chunks = {run: [job for job in removed if job.wildcards["run"] == run] for run in ("0", "0-order-1", "1")}
    assert sum(map(len, chunks.values())) == len(removed)
    for run, count in (("0", subsets), ("0-order-1", again), ("1", again)):
        assert {job.settings["subsets"] for job in chunks[run]} == {count}
        assert len(chunks[run]) == math.ceil((1 + shares * count) / REMOVALS), "one is the noise"
    others = (("another order", "0-order-1"), ("another seed", "1"))
    repeated = [(what, run, chunk) for what, run in others for chunk in range(len(chunks[run]))]
    assert plan.removed_again("resnet-fashion") == repeated
    assert plan.removed_again("bert-reviews") == [], "it leaves none out again"
    read = planned["removal resnet-fashion 0"]
    runs = [need.wildcards["run"] for need in read.reads if need.rule == "removed"]
    assert runs == ["0"] * len(chunks["0"]) + [run for _, run, _ in repeated]
    assert read.settings["again"] == [what for what, _, _ in repeated], "one for each of their jobs"
    flipping = {job.wildcards["case"] for job in planned.values() if job.rule == "flips"}
    assert flipping == set(plan.config["removal"]["flipped"])


def test_what_a_case_scores_for_removal_alone_is_scored_of_the_first_run_alone(plan, planned):
    own = plan.estimators("resnet-fashion")
    beside = plan.definition("resnet-fashion")["removal"]["estimators"]
    assert plan.ladder("resnet-fashion") == [*own, *beside]
    assert plan.ladder("logistic-fashion") == plan.estimators("logistic-fashion")
    for experiment in ("removal", "flips"):
        job = planned[f"{experiment} resnet-fashion 0"]
        scored = [need.wildcards["estimator"] for need in job.reads if need.rule == "scores"]
        assert scored == job.settings["estimators"] == [*own, *beside]
    runs = {
        job.wildcards["run"]
        for job in planned.values()
        if job.rule == "scores" and job.wildcards["case"] == "resnet-fashion" and job.wildcards["estimator"] in beside
    }
    assert runs == {"0"}
    named = planned["figure_removal removal"].settings["names"]
    assert set(beside) <= set(named["labels"]), "figures know them by name"


def test_every_job_that_opens_a_case_knows_the_errors_of_its_run(planned):
    opening = {name: job for name, job in planned.items() if "measured" in job.settings}
    for name, job in opening.items():
        planted = job.wildcards["case"].endswith("-planted")
        expected = {"share": 0.2, "seed": int(job.wildcards["run"].split("-")[0])} if planted else None
        assert job.settings.get("flipped") == expected, name
    knowing = {job.rule for job in opening.values() if "flipped" in job.settings}
    assert knowing == {"training", "scores", "planted"}
    drawn = planned["examples resnet-planted"].settings
    assert drawn == planned["examples resnet-fashion"].settings, "what is drawn has no errors"


def test_an_estimators_options_are_its_own_then_the_studys_then_the_cases(plan):
    assert plan.options("resnet-fashion", "gradient-dot") == {}
    end, tests = plan.end("resnet-fashion"), plan.definition("resnet-fashion")["influence"]["tests"]
    assert plan.options("resnet-fashion", "unrolled") == {"window": end, "tests": tests}, "the whole run"
    assert plan.options("logistic-fashion", "unrolled") == {"window": 800, "tests": 64}, "all measured ones"
    assert plan.options("resnet-fashion", "source") == {
        **{"curvature": "gauss-newton", "curvature_examples": 128},
        **{"krylov": 30, "factors": "lanczos"},
    }
    assert plan.options("resnet-fashion", "cg") == {
        **{"curvature": "gauss-newton", "damping": 0.1, "curvature_examples": 128},
        **{"iterations": 10, "tolerance": 1e-4},
    }
    assert plan.options("logistic-fashion", "lissa") == {
        **{"curvature": "hessian", "damping": 0, "curvature_examples": 600},
        **{"iterations": 100, "scale": 1},
    }


@pytest.mark.parametrize("case", ["resnet-fashion", "logistic-fashion"])
def test_the_curvature_of_a_case_is_that_of_one_sample(plan, case):
    assert (plan.curvature_examples("resnet-fashion"), plan.curvature_examples("logistic-fashion")) == (128, 600)
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config["definitions"][case].setdefault("influence", {})["curvature_examples"] = 99
    other = {job.name: job.settings for job in jobs(Plan(config, plan.every_claim), STUDY)}
    before = {job.name: job for job in jobs(plan, STUDY)}
    changed = [job for name, job in before.items() if job.settings != other[name] and job.rule != PAGE]
    solved = {name for name in plan.ladder(case) if "curvature_examples" in ESTIMATORS[name].settings}
    assert {job.rule for job in changed} == {"spectrum", "scores", "proximal", "stability"}
    assert {job.wildcards["case"] for job in changed} == {case}
    assert {job.wildcards["estimator"] for job in changed if job.rule == "scores"} == solved
    assert solved >= ({"ekfac", "source"} if case == "resnet-fashion" else {"ekfac", "cg"})


def test_spectra_are_looked_at_along_the_first_run_and_at_the_end_of_all(plan, planned):
    steps, end = plan.along_training("resnet-fashion"), plan.end("resnet-fashion")
    assert (steps[0], steps[-1], len(steps)) == (0, end, 3)
    first, second = (planned[f"convexity resnet-fashion {run}"] for run in (0, 1))
    assert (first.settings["checkpoints"], second.settings["checkpoints"]) == (steps, [end])
    assert [need.wildcards["step"] for need in first.reads if need.rule == "spectrum"] == [*map(str, steps)]
    assert [need.rule for need in first.reads if need.rule != "spectrum"] == ["stability"]
    assert [(need.rule, need.wildcards["step"]) for need in second.reads] == [("spectrum", str(end))]


def test_remedies_are_beside_the_stand_ins_that_a_case_has(planned):
    network, convex = (planned[f"remedies {case} 0"] for case in ("resnet-fashion", "logistic-fashion"))
    assert network.settings["stand_ins"] == ["random", "nearest-neighbours"]
    scored = [need.wildcards["estimator"] for need in network.reads if need.rule == "scores"]
    assert scored == network.settings["stand_ins"]
    assert convex.settings["stand_ins"] == []
    assert "scores" not in {need.rule for need in convex.reads}


def test_another_seed_changes_no_settings_of_the_others(plan):
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text()) | {"seeds": [0, 1, 2, 3, 4, 5]}
    more = {job.name: job for job in jobs(Plan(config, plan.every_claim), STUDY)}
    before = {job.name: job for job in jobs(plan, STUDY)}
    assert before.keys() < more.keys()
    assert all(more[name].settings == job.settings for name, job in before.items())


def test_a_job_reads_by_name_and_is_told_from_others_without_the_study():
    assert job_name("scores", {"study": "smoke", "case": "a", "run": "0", "step": "8"}) == "scores a 0 8"
    assert Need("training", "checkpoints", {"case": "a"}).rule == "training"
    assert (
        job_file("logs", "training", {"study": "smoke", "run": "0", "case": "a"})
        == "results/smoke/logs/training/a.0.log"
    )
    assert job_file("times", "claims", {"study": "smoke"}) == "results/smoke/times/claims.tsv"
    assert job_file("logs", "download", {"download": "a.parquet"}) == "resources/logs/download/a.parquet.log"
