# The settings of each job: exactly what its result depends on, and no list of cases or seeds.


def case_settings(wildcards):
    """What it takes to open a case."""
    case = definition(wildcards)
    return {
        "dataset": case["dataset"],
        "model": case["model"],
        "measured": case["examples"]["measured"],
        "weight_decay": case["training"]["weight_decay"],
    }


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


def training_settings(wildcards, *names):
    return {name: definition(wildcards)["training"][name] for name in names}


def leave_one_out_settings(wildcards):
    return {
        **case_settings(wildcards),
        **training_settings(wildcards, "steps", "learning_rate", "checkpoints"),
        "examples": definition(wildcards)["leave_one_out"]["examples"],
        "chunk": CHUNK,
    }


def continuation_settings(wildcards):
    """What it takes to continue a case's training in a regime."""
    return {
        **case_settings(wildcards),
        "from": regime(wildcards)["from"],
        "learning_rate": regime(wildcards)["learning_rate"],
        "steps": definition(wildcards)["counterfactuals"]["steps"],
    }


def counterfactual_settings(wildcards):
    counterfactuals = definition(wildcards)["counterfactuals"]
    chosen = {name: counterfactuals[name] for name in ("examples", "epsilon", "responses")}
    return {**continuation_settings(wildcards), **chosen, "chunk": CHUNK}


def comparison_settings(wildcards):
    return {
        "estimators": definition(wildcards)["estimators"],
        "steps": definition(wildcards)["counterfactuals"]["steps"],
        "learning_rate": regime(wildcards)["learning_rate"],
    }
