rule train:
    input:
        runs(f"{RUN}/curve.parquet"),


rule batches:
    input:
        code=imports("batches.py"),
    output:
        order=f"{RUN}/batches.safetensors",
    log:
        "results/{study}/logs/{case}/seed-{seed}/batches.log",
    conda:
        "../../envs/figures.yaml"
    params:
        settings=training_order_settings,
    script:
        "../scripts/batches.py"


rule training:
    input:
        unpack(pretrained),
        examples=rules.examples.output.examples,
        order=rules.batches.output.order,
        code=imports("train.py"),
    output:
        checkpoints=f"{RUN}/checkpoints.safetensors",
        curve=f"{RUN}/curve.parquet",
    log:
        "results/{study}/logs/{case}/seed-{seed}/training.log",
    conda:
        "../../envs/torch.yaml"
    params:
        settings=training_settings,
    script:
        "../scripts/train.py"
