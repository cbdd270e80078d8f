# Stage `train`: train each case from the start, once per seed, and keep its checkpoints.


rule batches:
    """Fix which examples the steps of training draw."""
    input:
        code=code("train/batches.py"),
    output:
        order=f"{RUN}/batches.safetensors",
    log:
        log_of("batches", "study", "case", "run"),
    benchmark:
        times_of("batches", "study", "case", "run")
    conda:
        "../../envs/figures.yaml"
    params:
        settings=settings("batches"),
    script:
        "../scripts/train/batches.py"


rule training:
    """Train a case from the start; keep its checkpoints and its learning curve."""
    input:
        unpack(reads("training")),
        code=code("train/training.py", model),
    output:
        checkpoints=f"{RUN}/checkpoints.safetensors",
        curve=f"{RUN}/curve.parquet",
    log:
        log_of("training", "study", "case", "run"),
    benchmark:
        times_of("training", "study", "case", "run")
    conda:
        "../../envs/torch.yaml"
    params:
        settings=settings("training"),
    script:
        "../scripts/train/training.py"
