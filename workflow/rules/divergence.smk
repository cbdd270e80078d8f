rule divergence:
    input:
        continuations(f"{REGIME}/divergence.parquet"),


rule comparison:
    input:
        changes=counterfactual_changes,
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
