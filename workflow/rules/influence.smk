# Stage `influence`: at a checkpoint, the Hessian's spectrum, and each estimator's scores of the training examples.


rule spectrum:
    """Extreme eigenpairs of the training loss's Hessian at a checkpoint."""
    input:
        unpack(reads("spectrum")),
        code=code("influence/spectrum.py", model),
    output:
        spectrum=f"{RUN}/spectrum/{{step}}.safetensors",
    log:
        log_of("spectrum", "study", "case", "run", "step"),
    benchmark:
        times_of("spectrum", "study", "case", "run", "step")
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=peak(2500),
    params:
        settings=settings("spectrum"),
    script:
        "../scripts/influence/spectrum.py"


rule scores:
    """One estimator's scores of the training examples on every measured test example."""
    input:
        unpack(reads("scores")),
        code=code("influence/scores.py", model, lambda wildcards: ESTIMATORS.source(wildcards.estimator)),
    output:
        scores=f"{RUN}/influence/{{estimator}}/{{step}}.safetensors",
    log:
        log_of("scores", "study", "case", "run", "estimator", "step"),
    benchmark:
        times_of("scores", "study", "case", "run", "estimator", "step")
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=peak(5000),
    params:
        settings=settings("scores"),
    script:
        "../scripts/influence/scores.py"
