def responses(wildcards):
    count = definition(wildcards)["counterfactuals"]["responses"]
    return expand(f"{REGIME}/response/{{chunk}}.safetensors", chunk=chunks(count), allow_missing=True)


rule divergence:
    input:
        continuations(f"{REGIME}/divergence.parquet"),


rule response:
    input:
        examples=rules.examples.output.examples,
        order=rules.batches.output.order,
        checkpoints=rules.training.output.checkpoints,
        changes=rules.counterfactuals.output.changes,
        code=imports("response.py"),
    output:
        response=f"{REGIME}/response/{{chunk}}.safetensors",
    params:
        settings=continuation_settings,
    log:
        "results/{study}/logs/{case}/seed-{seed}/regimes/{regime}/response/{chunk}.log",
    conda:
        "../../envs/torch.yaml"
    script:
        "../scripts/response.py"


rule divergence_curve:
    input:
        changes=changes,
        responses=responses,
        code=imports("divergence_curve.py"),
    output:
        curve=f"{REGIME}/divergence.parquet",
    params:
        settings=lambda wildcards: {"steps": definition(wildcards)["counterfactuals"]["steps"]},
    log:
        "results/{study}/logs/{case}/seed-{seed}/regimes/{regime}/divergence.log",
    conda:
        "../../envs/figures.yaml"
    script:
        "../scripts/divergence_curve.py"
