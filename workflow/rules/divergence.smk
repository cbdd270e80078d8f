rule divergence:
    input:
        continuations(f"{REGIME}/divergence.parquet"),


rule response:
    input:
        examples=rules.examples.output.examples,
        order=rules.continuation_batches.output.order,
        checkpoints=rules.training.output.checkpoints,
        changes=rules.counterfactuals.output.changes,
        code=imports("response.py"),
    output:
        response=f"{REGIME}/response/{{chunk}}.safetensors",
    log:
        "results/{study}/logs/{case}/seed-{seed}/regimes/{regime}/response/{chunk}.log",
    conda:
        "../../envs/torch.yaml"
    params:
        settings=continuation_settings,
    script:
        "../scripts/response.py"


rule divergence_curve:
    input:
        changes=counterfactual_changes,
        responses=responses,
        code=imports("divergence_curve.py"),
    output:
        curve=f"{REGIME}/divergence.parquet",
    log:
        "results/{study}/logs/{case}/seed-{seed}/regimes/{regime}/divergence.log",
    conda:
        "../../envs/figures.yaml"
    params:
        settings=lambda wildcards: {"steps": definition(wildcards)["counterfactuals"]["steps"]},
    script:
        "../scripts/divergence_curve.py"
