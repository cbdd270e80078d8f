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
    return {"spectrum": rules.spectrum.output.spectrum} if wildcards.estimator in USES_SPECTRUM else {}


def drawn_batches(wildcards):
    """The batches of training, and of the regimes that fork at the step, for estimators that score what these change."""
    if wildcards.estimator not in BY_EXAMPLE:
        return {}
    if wildcards.estimator in OF_THE_PAST:
        return {"order": rules.batches.output.order}
    regimes = [one["name"] for one in definition(wildcards)["regimes"] if one["from"] == int(wildcards.step)]
    forks = expand(rules.continuation_batches.output.order, regime=regimes, allow_missing=True)
    return {"order": rules.batches.output.order, "forks": forks}


def all_scores():
    """Every estimator's scores at the end of training, and wherever a regime starts those that speak of the future."""
    paths = []
    for case in config["cases"]:
        definition = config["definitions"][case]
        end, starts = definition["training"]["steps"], {one["from"] for one in definition["regimes"]}
        for estimator in definition["estimators"]:
            steps = {end} | (set() if estimator in OF_THE_PAST else starts)
            paths += one_case(rules.scores.output.scores, case, estimator=estimator, step=steps)
    return paths


def scores_after_training(wildcards):
    case = definition(wildcards)
    step = case["training"]["steps"]
    return expand(rules.scores.output.scores, estimator=case["estimators"], step=step, allow_missing=True)


def scores_at_fork(wildcards):
    estimators, step = forward_estimators(wildcards), regime(wildcards)["from"]
    return expand(rules.scores.output.scores, estimator=estimators, step=step, allow_missing=True)


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
        regimes = [one["name"] for one in config["definitions"][case]["regimes"]]
        paths += one_case([*leave_one_out_changes(wildcards), rules.proximal.output.changes], case)
        paths += one_case(counterfactual_changes(wildcards), case, regime=regimes)
    return paths


def responses(wildcards):
    return chunked(rules.response.output.response, definition(wildcards)["counterfactuals"]["responses"])


def first_runs(pattern, cases, **wildcards):
    """The pattern for the first seed of each case, for what is measured once."""
    return expand(pattern, study=config["study"], case=cases, seed=config["seeds"][0], **wildcards)


def compared_with_peers():
    """Every comparison with another library."""
    paths = []
    for case in config["peers"]["cases"]:
        kind = config["definitions"][case]["model"]["kind"]
        paths += first_runs(rules.peer.output.row, case, comparison=COMPARISONS[kind])
    return paths


def summary(wildcards):
    return {"summary": "results/{study}/tables/loo-summary.csv"} if wildcards.topic == "loo" else {}
