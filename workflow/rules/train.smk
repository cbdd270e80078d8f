rule train:
    input:
        runs(f"{RUN}/curve.parquet"),


def order_settings(wildcards):
    case = definition(wildcards)
    last = max(one["from"] for one in case["regimes"]) + case["counterfactuals"]["steps"][-1]
    return {
        "examples": case["examples"]["train"],
        "batch_size": case["training"]["batch_size"],
        "steps": max(last, case["training"]["steps"]),
    }


rule batches:
    input:
        code=imports("batches.py"),
    output:
        order=f"{RUN}/batches.safetensors",
    params:
        settings=order_settings,
    log:
        "results/{study}/logs/{case}/seed-{seed}/batches.log",
    conda:
        "../../envs/torch.yaml"
    script:
        "../scripts/batches.py"


def needs_pretrained(wildcards):
    return needs_minilm(wildcards) if definition(wildcards)["model"]["kind"] == "bert" else {}


rule training:
    input:
        unpack(needs_pretrained),
        examples=rules.examples.output.examples,
        order=rules.batches.output.order,
        code=imports("train.py"),
    output:
        checkpoints=f"{RUN}/checkpoints.safetensors",
        curve=f"{RUN}/curve.parquet",
    params:
        settings=lambda wildcards: {
            **case_settings(wildcards),
            "training": training_settings(wildcards, "steps", "learning_rate", "checkpoints"),
        },
    log:
        "results/{study}/logs/{case}/seed-{seed}/training.log",
    conda:
        "../../envs/torch.yaml"
    script:
        "../scripts/train.py"
