rule divergence:
    input:
        continuations(f"{REGIME}/divergence.parquet"),


rule response:
    input:
        examples=rules.examples.output.examples,
        order=rules.continuation_batches.output.order,
        checkpoints=rules.training.output.checkpoints,
        spectrum=spectrum_at_fork,
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


rule comparison:
    input:
        changes=counterfactual_changes,
        responses=responses,
        scores=scores_at_fork,
        spectrum=spectrum_at_fork,
        code=imports("comparison.py"),
    output:
        correlations=f"{REGIME}/fading-correlations.parquet",
        fading=f"{REGIME}/fading.parquet",
        decomposition=f"{REGIME}/decomposition.parquet",
        divergence=f"{REGIME}/divergence.parquet",
        divergence_statistics=f"{REGIME}/divergence-statistics.parquet",
    log:
        "results/{study}/logs/{case}/seed-{seed}/regimes/{regime}/comparison.log",
    conda:
        "../../envs/figures.yaml"
    params:
        settings=comparison_settings,
    script:
        "../scripts/comparison.py"
