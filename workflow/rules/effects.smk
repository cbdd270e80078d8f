# Stage `effects`: predicted against actual effects, of leaving out and of up-weighting, as training goes on.
# What a job reads and its settings are described in the experiment's own file in fading/experiments.


rule leave_one_out:
    """Compare retraining, and the proximal response, with what each estimator predicted of them."""
    input:
        unpack(reads("leave_one_out")),
        code=code("effects/leave_one_out.py"),
    output:
        pairs=f"{RUN}/loo.parquet",
        correlations=f"{RUN}/loo-correlations.parquet",
    log:
        log_of("leave_one_out", "study", "case", "run"),
    benchmark:
        times_of("leave_one_out", "study", "case", "run")
    conda:
        "../../envs/figures.yaml"
    params:
        settings=settings("leave_one_out"),
    script:
        "../scripts/effects/leave_one_out.py"


rule fading:
    """Compare the effects of up-weighting, step by step, with what estimators and theory predicted."""
    input:
        unpack(reads("fading")),
        code=code("effects/fading.py"),
    output:
        correlations=f"{REGIME}/fading-correlations.parquet",
        fading=f"{REGIME}/fading.parquet",
        decomposition=f"{REGIME}/decomposition.parquet",
    log:
        log_of("fading", "study", "case", "run", "regime"),
    benchmark:
        times_of("fading", "study", "case", "run", "regime")
    conda:
        "../../envs/figures.yaml"
    params:
        settings=settings("fading"),
    script:
        "../scripts/effects/fading.py"


rule effects:
    """Every comparison of predicted with actual effects."""
    input:
        stage(*experiments_of("effects")),
