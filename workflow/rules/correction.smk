rule corrections:
    input:
        examples=rules.examples.output.examples,
        order=rules.batches.output.order,
        checkpoints=rules.training.output.checkpoints,
        scores=scores_to_rank,
        earlier=earlier_scores,
        code=imports("corrections.py"),
    output:
        trials=f"{RUN}/corrections/trials.parquet",
        paths=f"{RUN}/corrections/paths.parquet",
    log:
        "results/{study}/logs/{case}/seed-{seed}/corrections.log",
    conda:
        "../../envs/torch.yaml"
    params:
        settings=correction_settings,
    script:
        "../scripts/corrections.py"


rule gallery:
    input:
        unpack(dataset),
        examples=rules.examples.output.examples,
        checkpoints=rules.training.output.checkpoints,
        scores=scores_to_rank,
        code=imports("gallery.py"),
    output:
        gallery=f"{RUN}/gallery.parquet",
    log:
        "results/{study}/logs/{case}/seed-{seed}/gallery.log",
    conda:
        "../../envs/torch.yaml"
    params:
        settings=gallery_settings,
    script:
        "../scripts/gallery.py"


rule planted:
    input:
        examples=rules.examples.output.examples,
        checkpoints=rules.training.output.checkpoints,
        scores=scores_after_training,
        code=imports("planted.py"),
    output:
        precision=f"{RUN}/planted/precision.parquet",
        recovery=f"{RUN}/planted/recovery.parquet",
    log:
        "results/{study}/logs/{case}/seed-{seed}/planted.log",
    conda:
        "../../envs/torch.yaml"
    params:
        settings=planted_settings,
    script:
        "../scripts/planted.py"


rule correction:
    input:
        runs(rules.corrections.output.trials, CORRECTED),
        runs([rules.planted.output.precision, rules.planted.output.recovery], PLANTED),
        first_runs(rules.gallery.output.gallery, CORRECTED),
