# The settings of each job: exactly what its result depends on, and no list of cases or seeds.


def case_settings(wildcards):
    """What it takes to open a case."""
    case = definition(wildcards)
    return {
        "dataset": case["dataset"],
        "model": case["model"],
        "measured": case["examples"]["measured"],
        "weight_decay": loss_weight_decay(case["training"]),
    }


def optimizer_settings(wildcards, learning_rate=None):
    """What it takes to train, at another learning rate in a regime."""
    training = definition(wildcards)["training"]
    settings = {"optimizer": training["optimizer"], "learning_rate": learning_rate or training["learning_rate"]}
    return settings | ({"decoupled_decay": training["weight_decay"]} if training["optimizer"] == "adamw" else {})


def drawing_settings(wildcards):
    case = definition(wildcards)
    counts = {name: count for name, count in case["examples"].items() if name != "measured"}
    return {"dataset": case["dataset"], "kind": case["model"]["kind"], **counts}


def order_settings(wildcards, start, stop):
    """The order in which steps start to stop − 1 draw examples."""
    batch_size = definition(wildcards)["training"]["batch_size"]
    return {
        "examples": definition(wildcards)["examples"]["train"],
        "batch_size": batch_size,
        "start": start,
        "stop": stop,
    }


def training_order_settings(wildcards):
    return order_settings(wildcards, 0, definition(wildcards)["training"]["steps"])


def continuation_order_settings(wildcards):
    start = regime(wildcards)["from"]
    return order_settings(wildcards, start, start + definition(wildcards)["counterfactuals"]["steps"][-1])


def training_settings(wildcards):
    training = definition(wildcards)["training"]
    return {
        **case_settings(wildcards),
        **optimizer_settings(wildcards),
        "steps": training["steps"],
        "checkpoints": training["checkpoints"],
    }


def left_out(wildcards):
    """Which examples and groups are left out."""
    return {name: definition(wildcards)["leave_one_out"][name] for name in ("count", "size")}


def leave_one_out_settings(wildcards):
    return {**training_settings(wildcards), **left_out(wildcards), "chunk": CHUNK}


def continuation_settings(wildcards):
    """What it takes to continue a case's training in a regime."""
    return {
        **case_settings(wildcards),
        **optimizer_settings(wildcards, regime(wildcards)["learning_rate"]),
        "from": regime(wildcards)["from"],
        "steps": definition(wildcards)["counterfactuals"]["steps"],
    }


def counterfactual_settings(wildcards):
    counterfactuals = definition(wildcards)["counterfactuals"]
    chosen = {name: counterfactuals[name] for name in ("examples", "epsilon")}
    return {**continuation_settings(wildcards), **chosen, "chunk": CHUNK}


def score_settings(wildcards):
    case, names = definition(wildcards), wildcards.estimators.split("+")
    chosen = {key: case["influence"][key] for name in names for key in SETTINGS.get(name, [])}
    if "iterations" in chosen:
        chosen["hessian_examples"] = config["spectrum"]["examples"]
    if wildcards.estimators in BY_EXAMPLE:
        first = wildcards.seed == str(config["seeds"][0])
        chosen["left_out"] = left_out(wildcards) if first else {"count": 0, "size": 1}
        chosen["up_weighted"] = 0 if wildcards.estimators in OF_THE_PAST else case["counterfactuals"]["examples"]
    return {**case_settings(wildcards), **optimizer_settings(wildcards), **chosen}


def proximal_settings(wildcards):
    case = definition(wildcards)
    return {
        **case_settings(wildcards),
        **case["leave_one_out"],
        "steps": case["training"]["steps"],
        "damping": case["influence"]["damping"],
        "hessian_examples": config["spectrum"]["examples"],
    }


def benchmark_settings(wildcards):
    training = definition(wildcards)["training"]
    chosen = {"step": training["steps"], "batch_size": training["batch_size"]}
    return {**case_settings(wildcards), **optimizer_settings(wildcards), **chosen}


def peer_settings(wildcards):
    training = definition(wildcards)["training"]
    chosen = {name: config["peers"][name] for name in ("train", "hessian_examples", "damping", "repeats")}
    krylov = {name: config["spectrum"][name] for name in ("krylov", "keep")}
    steps = {"step": training["steps"], "batch_size": training["batch_size"]}
    return {**case_settings(wildcards), **chosen, **krylov, **steps}


def forward_estimators(wildcards):
    """The case's estimators that say something of what follows a checkpoint."""
    return [name for name in definition(wildcards)["estimators"] if name not in OF_THE_PAST]


def comparison_settings(wildcards):
    return {
        "estimators": forward_estimators(wildcards),
        "steps": definition(wildcards)["counterfactuals"]["steps"],
        "learning_rate": regime(wildcards)["learning_rate"],
    }


def stability_settings(wildcards):
    """Which right-hand sides are solved for, and by which grid of solvers."""
    return {
        **case_settings(wildcards),
        **definition(wildcards)["leave_one_out"],
        **{name: config["assumptions"][name] for name in ("dampings", "scales", "dimension")},
        "steps": definition(wildcards)["training"]["steps"],
        **{name: config["spectrum"][name] for name in ("krylov", "keep")},
        "hessian_examples": config["spectrum"]["examples"],
    }


def trajectory_settings(wildcards):
    return {"checkpoints": along_training(wildcards)[1:], "estimators": config["assumptions"]["estimators"]}


def expansion_settings(wildcards):
    """Which examples are up-weighted by which ε, and for how long."""
    chosen = {name: config["assumptions"][name] for name in ("examples", "epsilons", "steps")}
    model = {**definition(wildcards)["model"], "precision": "float64"}  # small remainders drown in float32's rounding
    return {**continuation_settings(wildcards), **chosen, "model": model}


def along_training(wildcards):
    """The first checkpoint, the one nearest to half-way, and the last."""
    first, *between, last = definition(wildcards)["training"]["checkpoints"]
    return [first, min(between, key=lambda step: abs(2 * step - last)), last]


def loo_settings(wildcards):
    """The case's estimators, and which of them, if any, is the linear response along the whole run."""
    case = definition(wildcards)
    whole = case["influence"]["horizon"] == case["training"]["steps"]
    unrolled = [name for name in ("linear-response", "unrolled") if whole and name in case["estimators"]]
    return {"estimators": case["estimators"], "unrolled": unrolled[0] if unrolled else None}


def after_training(wildcards):
    """What it takes to go on from the end of a case's training."""
    training = definition(wildcards)["training"]
    run = {"from": training["steps"], "batch_size": training["batch_size"]}
    return {**case_settings(wildcards), **optimizer_settings(wildcards), **run}


def correction_settings(wildcards):
    """Which mis-predictions are corrected, by which methods, with how many examples, steps and learning rates."""
    chosen = config["correction"]
    names = ("targets", "examples", "steps", "others", "harmful", "retrained")
    rate = definition(wildcards)["training"]["learning_rate"]
    return {
        **after_training(wildcards),
        **{name: chosen[name] for name in names},
        "learning_rates": [float(f"{share * rate:.6g}") for share in chosen["learning_rates"]],
        "estimators": rankers(definition(wildcards)["estimators"]),
    }


def gallery_settings(wildcards):
    return {**after_training(wildcards), "targets": 3, "method": GRADIENT_DOT}


def planted_settings(wildcards):
    estimators = {"estimators": definition(wildcards)["estimators"]}
    return {**after_training(wildcards), **estimators, "recovery": config["correction"]["recovery"]}
