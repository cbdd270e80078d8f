# Which files a rule reads, where that depends on the configuration.


def dataset(wildcards):
    return {"source": f"resources/{DATASETS[definition(wildcards)['dataset']].file}"}


def encoder(wildcards):
    """The pre-trained weights, for cases whose examples are sentences."""
    sentences = DATASETS[definition(wildcards)["dataset"]].sentences
    return {"weights": "resources/minilm.safetensors"} if sentences else {}


def pretrained(wildcards):
    """The pre-trained weights, for cases whose training starts from them."""
    return {"weights": "resources/minilm.safetensors"} if definition(wildcards)["model"]["kind"] == "bert" else {}


def ritz_pairs(wildcards):
    """The spectrum, for estimators that use it."""
    chosen = USES_SPECTRUM & set(wildcards.estimators.split("+"))
    return {"spectrum": rules.spectrum.output.spectrum} if chosen else {}


def drawn_batches(wildcards):
    """The batches of training, and of the regimes that fork at the step, for estimators that score what these change."""
    if wildcards.estimators not in BY_EXAMPLE:
        return {}
    if wildcards.estimators in OF_THE_PAST:
        return {"order": rules.batches.output.order}
    here = [one["name"] for one in definition(wildcards)["regimes"] if one["from"] == int(wildcards.step)]
    forks = expand(rules.continuation_batches.output.order, regime=here, allow_missing=True)
    return {"order": rules.batches.output.order, "forks": forks}


def all_scores():
    """Every estimator's scores at the end of training, and wherever a regime starts those that speak of the future."""
    paths = []
    for case in config["cases"]:
        definition = config["definitions"][case]
        end, starts = definition["training"]["steps"], {one["from"] for one in definition["regimes"]}
        names, wildcards = definition["estimators"], SimpleNamespace(case=case)
        paths += first_runs(rules.scores.output.scores, [case], estimators=shared_out(names), step=end)
        forward = shared_out(forward_estimators(wildcards))
        paths += one_case(rules.scores.output.scores, case, estimators=forward, step=starts)
    return list(dict.fromkeys(paths))


def scores_after_training(wildcards):
    case = definition(wildcards)
    estimators, step = shared_out(case["estimators"]), case["training"]["steps"]
    return expand(rules.scores.output.scores, estimators=estimators, step=step, allow_missing=True)


def scores_to_rank(wildcards):
    """Those of the estimators that score the whole training set, after training."""
    case = definition(wildcards)
    estimators, step = shared_out(rankers(case["estimators"])), case["training"]["steps"]
    return expand(rules.scores.output.scores, estimators=estimators, step=step, allow_missing=True)


def earlier_scores(wildcards):
    """Scores half-way through training."""
    _, step, _ = along_training(wildcards)
    return expand(rules.scores.output.scores, estimators=GRADIENT_DOT, step=step, allow_missing=True)


def scores_at_fork(wildcards):
    estimators, step = shared_out(forward_estimators(wildcards)), regime(wildcards)["from"]
    return expand(rules.scores.output.scores, estimators=estimators, step=step, allow_missing=True)


def spectrum_at_fork(wildcards):
    return expand(rules.spectrum.output.spectrum, step=regime(wildcards)["from"], allow_missing=True)[0]


def chunked(pattern, counterfactuals):
    """The files of the jobs among which so many counterfactuals are shared out."""
    return expand(pattern, chunk=range(-(-counterfactuals // CHUNK)), allow_missing=True)


def leave_one_out_changes(wildcards):
    left = definition(wildcards)["leave_one_out"]
    return chunked(rules.leave_one_out.output.changes, 2 * left["count"] + left["count"] // left["size"])


def counterfactual_changes(wildcards):
    count = definition(wildcards)["counterfactuals"]["examples"]
    return chunked(rules.counterfactuals.output.changes, count + 2)  # and the A/A null and the noise floor


def all_changes():
    """Every counterfactual of the study."""
    paths = []
    for case in config["cases"]:
        wildcards = SimpleNamespace(case=case)
        paths += first_runs([*leave_one_out_changes(wildcards), rules.proximal.output.changes], [case])
        paths += one_case(counterfactual_changes(wildcards), case, regime=regimes(case))
    return paths


def spectrum_after_training(wildcards):
    step = definition(wildcards)["training"]["steps"]
    return expand(rules.spectrum.output.spectrum, step=step, allow_missing=True)[0]


def spectra_along_training(wildcards):
    return expand(rules.spectrum.output.spectrum, step=along_training(wildcards), allow_missing=True)


def runs_to_compare(wildcards):
    """Scores along training, and after another order and other seeds, by the job that the estimators compared share."""
    _, *steps = along_training(wildcards)
    shared, *_ = shared_out(definition(wildcards)["estimators"])
    (scores,) = expand(rules.scores.output.scores, estimators=shared, allow_missing=True)
    (end,) = expand(scores, case=wildcards.case, study=wildcards.study, step=steps[-1], allow_missing=True)
    return {
        "checkpoints": expand(scores, step=steps, allow_missing=True),
        "orders": expand(end, seed=f"{wildcards.seed}-order-{int(wildcards.seed) + 1}"),
        "seeds": expand(end, seed=seeds(wildcards.case)),
    }


def assumption_tests():
    """The statistics of every experiment on an assumption."""
    return [
        *first_runs([rules.convexity.output.statistics, rules.stability.output.statistics], ASSUMED),
        *first_runs(rules.trajectory.output.agreement, ASSUMED),
        *first_continuations(rules.expansion.output.statistics),
        *continuations(rules.comparison.output.divergence_statistics),
    ]


def compared_with_peers():
    """Every comparison with another library."""
    paths = []
    for case in config["peers"]["cases"]:
        kind = config["definitions"][case]["model"]["kind"]
        paths += first_runs(rules.peer.output.row, case, comparison=COMPARISONS[kind])
    return paths


def claims():
    """The claims on what the study has: cases, their regimes, and those that are tested or corrected."""
    some = {
        **dict.fromkeys(["convexity-summary", "remedies", "stability-summary", "trajectory"], ASSUMED),
        **dict.fromkeys(["correction", "correction-paired"], CORRECTED),
        **dict.fromkeys(["planted", "planted-recovery"], PLANTED),
    }

    def has(claim):
        cases = some.get(claim["table"], config["cases"])
        return claim["case"] in cases and claim["where"].get("regime") in [None, *regimes(claim["case"])]

    return list(filter(has, CLAIMS))


DRAWN_BESIDE = {  # of a figure, the tables it draws beside its own
    "loo": ["loo-summary"],
    "fading": ["fading-summary"],
    "trajectory": ["loo-summary"],
    "convexity": ["convexity-summary", "remedies"],
    "expansion": ["expansion-summary"],
    "divergence": ["expansion-summary"],
    "planted": ["planted-recovery"],
}


def drawn_tables(wildcards):
    """The tables that a figure draws, by their names with underscores, and its own as `table`."""
    if wildcards.topic == "claims":
        return {"table": "results/{study}/claims.csv"}
    beside = DRAWN_BESIDE.get(wildcards.topic, [])
    pictures = {"examples": expand(rules.examples.output.examples, case=CORRECTED, allow_missing=True)}
    tables = {name.replace("-", "_"): f"results/{{study}}/tables/{name}.csv" for name in beside}
    return {
        "table": "results/{study}/tables/{topic}.csv",
        **tables,
        **(pictures if wildcards.topic == "gallery" else {}),
    }
