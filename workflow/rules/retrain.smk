# Stage `retrain`: real counterfactuals: without some examples from the start, or going on with one up-weighted, and what
# theory says of these.


rule retraining:
    """Retrain from the start with examples left out, or counted twice, and with groups left out."""
    input:
        unpack(reads("retraining")),
        code=code("retrain/retraining.py", model),
    output:
        changes=f"{RUN}/leave-one-out/{{chunk}}.safetensors",
    log:
        log_of("retraining", "study", "case", "run", "chunk"),
    benchmark:
        times_of("retraining", "study", "case", "run", "chunk")
    conda:
        "../../envs/torch.yaml"
    params:
        settings=settings("retraining"),
    script:
        "../scripts/retrain/retraining.py"


rule removed:
    """Train from the start with random parts of the training set left out, and once with nothing but noise changed."""
    input:
        unpack(reads("removed")),
        code=code("retrain/removed.py", model),
    output:
        changes=f"{RUN}/removal/{{chunk}}.safetensors",
    log:
        log_of("removed", "study", "case", "run", "chunk"),
    benchmark:
        times_of("removed", "study", "case", "run", "chunk")
    conda:
        "../../envs/torch.yaml"
    params:
        settings=settings("removed"),
    script:
        "../scripts/retrain/removed.py"


rule proximal:
    """The proximal Bregman response of the trained model to leaving out examples."""
    input:
        unpack(reads("proximal")),
        code=code("retrain/proximal.py", model),
    output:
        changes=f"{RUN}/proximal.safetensors",
    log:
        log_of("proximal", "study", "case", "run"),
    benchmark:
        times_of("proximal", "study", "case", "run")
    conda:
        "../../envs/torch.yaml"
    params:
        settings=settings("proximal"),
    script:
        "../scripts/retrain/proximal.py"


use rule batches as continuation_batches with:
    output:
        order=f"{REGIME}/batches.safetensors",
    log:
        log_of("continuation_batches", "study", "case", "run", "regime"),
    benchmark:
        times_of("continuation_batches", "study", "case", "run", "regime")
    params:
        settings=settings("continuation_batches"),


rule up_weighting:
    """Continue training with single examples up-weighted, and with nothing but noise changed."""
    input:
        unpack(reads("up_weighting")),
        code=code("retrain/up_weighting.py", model),
    output:
        changes=f"{REGIME}/up-weighting/{{chunk}}.safetensors",
    log:
        log_of("up_weighting", "study", "case", "run", "regime", "chunk"),
    benchmark:
        times_of("up_weighting", "study", "case", "run", "regime", "chunk")
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=peak(3000),
    params:
        settings=settings("up_weighting"),
    script:
        "../scripts/retrain/up_weighting.py"


rule path:
    """Follow the unchanged continuation of training by the extreme curvature of the batches that it steps on."""
    input:
        unpack(reads("path")),
        code=code("retrain/path.py", model),
    output:
        path=f"{REGIME}/path.safetensors",
    log:
        log_of("path", "study", "case", "run", "regime"),
    benchmark:
        times_of("path", "study", "case", "run", "regime")
    conda:
        "../../envs/torch.yaml"
    params:
        settings=settings("path"),
    script:
        "../scripts/retrain/path.py"
