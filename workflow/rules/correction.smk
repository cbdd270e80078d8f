# Stage `correction`: correct mis-predictions by a few steps on influential examples, with controls; find planted errors.


rule attempts:
    """Correct mis-predictions, and turn right ones wrong, by every method and intervention."""
    input:
        unpack(reads("attempts")),
        code=code("correction/attempts.py", model),
    output:
        trials=f"{RUN}/corrections/trials.parquet",
        paths=f"{RUN}/corrections/paths.parquet",
    log:
        log_of("attempts", "study", "case", "run"),
    benchmark:
        times_of("attempts", "study", "case", "run")
    conda:
        "../../envs/torch.yaml"
    params:
        settings=settings("attempts"),
    script:
        "../scripts/correction/attempts.py"


rule planted:
    """Find planted errors by what influences the loss, mend what was found, and train on."""
    input:
        unpack(reads("planted")),
        code=code("correction/planted.py", model),
    output:
        precision=f"{RUN}/planted/precision.parquet",
        recovery=f"{RUN}/planted/recovery.parquet",
    log:
        log_of("planted", "study", "case", "run"),
    benchmark:
        times_of("planted", "study", "case", "run")
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=peak(3500),
    params:
        settings=settings("planted"),
    script:
        "../scripts/correction/planted.py"


rule gallery:
    """Choose mis-predictions, and the training examples that influence them most, for people to look at."""
    input:
        unpack(reads("gallery")),
        code=code("correction/gallery.py", model),
    output:
        gallery=f"{RUN}/gallery.parquet",
    log:
        log_of("gallery", "study", "case", "run"),
    benchmark:
        times_of("gallery", "study", "case", "run")
    conda:
        "../../envs/torch.yaml"
    params:
        settings=settings("gallery"),
    script:
        "../scripts/correction/gallery.py"
