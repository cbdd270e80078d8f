# Stage `assumptions`: experiments on the five assumptions behind influence functions.


rule convexity:
    """Spectra of the Hessian along training."""
    input:
        unpack(reads("convexity")),
        code=code("assumptions/convexity.py"),
    output:
        spectra=f"{RUN}/convexity/spectra.parquet",
        statistics=f"{RUN}/convexity/statistics.parquet",
    log:
        log_of("convexity", "study", "case", "run"),
    benchmark:
        times_of("convexity", "study", "case", "run")
    conda:
        "../../envs/figures.yaml"
    params:
        settings=settings("convexity"),
    script:
        "../scripts/assumptions/convexity.py"


rule remedies:
    """What damping and the Gauss-Newton matrix buy, and what noise in their place would."""
    input:
        unpack(reads("remedies")),
        code=code("assumptions/remedies.py"),
    output:
        remedies=f"{RUN}/remedies.parquet",
    log:
        log_of("remedies", "study", "case", "run"),
    benchmark:
        times_of("remedies", "study", "case", "run")
    conda:
        "../../envs/figures.yaml"
    params:
        settings=settings("remedies"),
    script:
        "../scripts/assumptions/remedies.py"


rule stability:
    """Solve the same right-hand sides by every solver, and compare residuals and scores."""
    input:
        unpack(reads("stability")),
        code=code("assumptions/stability.py", model),
    output:
        solutions=f"{RUN}/stability/solutions.parquet",
        statistics=f"{RUN}/stability/statistics.parquet",
        scores=f"{RUN}/stability/scores.safetensors",
    log:
        log_of("stability", "study", "case", "run"),
    benchmark:
        times_of("stability", "study", "case", "run")
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=peak(3000),
    params:
        settings=settings("stability"),
    script:
        "../scripts/assumptions/stability.py"


rule trajectory:
    """Compare scores between checkpoints, orders of the data and seeds."""
    input:
        unpack(reads("trajectory")),
        code=code("assumptions/trajectory.py"),
    output:
        agreement=f"{RUN}/trajectory.parquet",
    log:
        log_of("trajectory", "study", "case", "run"),
    benchmark:
        times_of("trajectory", "study", "case", "run")
    conda:
        "../../envs/figures.yaml"
    params:
        settings=settings("trajectory"),
    script:
        "../scripts/assumptions/trajectory.py"


rule expansion:
    """Up-weight by several ε, both ways and in pairs, and see what first-order predictions leave over."""
    input:
        unpack(reads("expansion")),
        code=code("assumptions/expansion.py", model),
    output:
        remainders=f"{REGIME}/expansion/remainders.parquet",
        statistics=f"{REGIME}/expansion/statistics.parquet",
    log:
        log_of("expansion", "study", "case", "run", "regime"),
    benchmark:
        times_of("expansion", "study", "case", "run", "regime")
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=peak(6500),
    params:
        settings=settings("expansion"),
    script:
        "../scripts/assumptions/expansion.py"


rule divergence:
    """Measure how far counterfactual parameters move away, beside the bound on it."""
    input:
        unpack(reads("divergence")),
        code=code("assumptions/divergence.py"),
    output:
        divergence=f"{REGIME}/divergence.parquet",
        statistics=f"{REGIME}/divergence-statistics.parquet",
    log:
        log_of("divergence", "study", "case", "run", "regime"),
    benchmark:
        times_of("divergence", "study", "case", "run", "regime")
    conda:
        "../../envs/figures.yaml"
    params:
        settings=settings("divergence"),
    script:
        "../scripts/assumptions/divergence.py"
