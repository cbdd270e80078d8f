# Stage `effects`: predicted against actual effects, of leaving out and of up-weighting, as training goes on.


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


rule memory:
    """Follow losses back through training, and compare what each use of each example did with predictions."""
    input:
        unpack(reads("memory")),
        code=code("effects/memory.py", model),
    output:
        ages=f"{RUN}/memory/ages.parquet",
        checks=f"{RUN}/memory/checks.parquet",
    log:
        log_of("memory", "study", "case", "run"),
    benchmark:
        times_of("memory", "study", "case", "run")
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=peak(8000),
    params:
        settings=settings("memory"),
    script:
        "../scripts/effects/memory.py"


rule seen:
    """Divide what examples did to the losses after training by the epoch in which they were seen."""
    input:
        unpack(reads("seen")),
        code=code("effects/seen.py"),
    output:
        seen=f"{RUN}/memory/seen.parquet",
    log:
        log_of("seen", "study", "case", "run"),
    benchmark:
        times_of("seen", "study", "case", "run")
    conda:
        "../../envs/figures.yaml"
    params:
        settings=settings("seen"),
    script:
        "../scripts/effects/seen.py"


rule removal:
    """Compare leaving out parts of the training set with what each estimator predicted of it."""
    input:
        unpack(reads("removal")),
        code=code("effects/removal.py"),
    output:
        scores=f"{RUN}/removal/scores.parquet",
        sizes=f"{RUN}/removal/sizes.parquet",
    log:
        log_of("removal", "study", "case", "run"),
    benchmark:
        times_of("removal", "study", "case", "run")
    conda:
        "../../envs/figures.yaml"
    params:
        settings=settings("removal"),
    script:
        "../scripts/effects/removal.py"


rule flips:
    """Leave out the training examples that hold a prediction up most, by each ranking, and retrain."""
    input:
        unpack(reads("flips")),
        code=code("effects/flips.py", model),
    output:
        flips=f"{RUN}/removal/flips.parquet",
    log:
        log_of("flips", "study", "case", "run"),
    benchmark:
        times_of("flips", "study", "case", "run")
    conda:
        "../../envs/torch.yaml"
    params:
        settings=settings("flips"),
    script:
        "../scripts/effects/flips.py"


rule scale:
    """Say how large a network is, how long it trained and how well it predicts."""
    input:
        unpack(reads("scale")),
        code=code("effects/scale.py"),
    output:
        size=f"{RUN}/size.parquet",
    log:
        log_of("scale", "study", "case", "run"),
    benchmark:
        times_of("scale", "study", "case", "run")
    conda:
        "../../envs/figures.yaml"
    params:
        settings=settings("scale"),
    script:
        "../scripts/effects/scale.py"
