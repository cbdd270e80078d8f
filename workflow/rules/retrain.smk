def forks(wildcards):
    """Counterfactuals of a regime: the up-weighted examples, the A/A null and the noise floor."""
    return chunks(definition(wildcards)["counterfactuals"]["examples"] + 2)


def changes(wildcards):
    return expand(f"{REGIME}/counterfactuals/{{chunk}}.safetensors", chunk=forks(wildcards), allow_missing=True)


def leave_one_out_changes(wildcards):
    count = 2 * definition(wildcards)["leave_one_out"]["examples"]
    return expand(f"{RUN}/leave-one-out/{{chunk}}.safetensors", chunk=chunks(count), allow_missing=True)


rule retrain:
    input:
        runs(f"{RUN}/loo.parquet"),
        continuations(f"{REGIME}/fading.parquet"),


rule leave_one_out:
    input:
        examples=rules.examples.output.examples,
        order=rules.batches.output.order,
        checkpoints=rules.training.output.checkpoints,
        code=imports("leave_one_out.py"),
    output:
        changes=f"{RUN}/leave-one-out/{{chunk}}.safetensors",
    params:
        settings=lambda wildcards: {
            **case_settings(wildcards),
            **training_settings(wildcards, "steps", "learning_rate", "checkpoints"),
            "examples": definition(wildcards)["leave_one_out"]["examples"],
            "chunk": CHUNK,
        },
    log:
        "results/{study}/logs/{case}/seed-{seed}/leave-one-out/{chunk}.log",
    conda:
        "../../envs/torch.yaml"
    script:
        "../scripts/leave_one_out.py"


rule baseline:
    input:
        examples=rules.examples.output.examples,
        order=rules.batches.output.order,
        checkpoints=rules.training.output.checkpoints,
        code=imports("baseline.py"),
    output:
        baseline=f"{REGIME}/baseline.safetensors",
    params:
        settings=continuation_settings,
    log:
        "results/{study}/logs/{case}/seed-{seed}/regimes/{regime}/baseline.log",
    conda:
        "../../envs/torch.yaml"
    script:
        "../scripts/baseline.py"


rule counterfactuals:
    input:
        examples=rules.examples.output.examples,
        order=rules.batches.output.order,
        checkpoints=rules.training.output.checkpoints,
        baseline=rules.baseline.output.baseline,
        code=imports("counterfactuals.py"),
    output:
        changes=f"{REGIME}/counterfactuals/{{chunk}}.safetensors",
    params:
        settings=lambda wildcards: {
            **continuation_settings(wildcards),
            **{
                name: definition(wildcards)["counterfactuals"][name]
                for name in ("examples", "epsilon", "responses")
            },
            "chunk": CHUNK,
        },
    log:
        "results/{study}/logs/{case}/seed-{seed}/regimes/{regime}/counterfactuals/{chunk}.log",
    conda:
        "../../envs/torch.yaml"
    script:
        "../scripts/counterfactuals.py"
