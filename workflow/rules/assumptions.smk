rule convexity:
    input:
        spectra=spectra_along_training,
        scores=f"{RUN}/stability/scores.safetensors",
        changes=leave_one_out_changes,
        proximal=rules.proximal.output.changes,
        code=imports("convexity.py"),
    output:
        spectra=f"{RUN}/convexity/spectra.parquet",
        statistics=f"{RUN}/convexity/statistics.parquet",
        remedies=f"{RUN}/convexity/remedies.parquet",
    log:
        "results/{study}/logs/{case}/seed-{seed}/convexity.log",
    conda:
        "../../envs/figures.yaml"
    params:
        settings=lambda wildcards: {"checkpoints": along_training(wildcards)},
    script:
        "../scripts/convexity.py"


rule stability:
    input:
        examples=rules.examples.output.examples,
        order=rules.batches.output.order,
        checkpoints=rules.training.output.checkpoints,
        spectrum=spectrum_after_training,
        code=imports("stability.py"),
    output:
        solutions=f"{RUN}/stability/solutions.parquet",
        statistics=f"{RUN}/stability/statistics.parquet",
        scores=f"{RUN}/stability/scores.safetensors",
    log:
        "results/{study}/logs/{case}/seed-{seed}/stability.log",
    conda:
        "../../envs/torch.yaml"
    params:
        settings=stability_settings,
    script:
        "../scripts/stability.py"


rule trajectory:
    input:
        unpack(runs_to_compare),
        code=imports("trajectory.py"),
    output:
        agreement=f"{RUN}/trajectory.parquet",
    log:
        "results/{study}/logs/{case}/seed-{seed}/trajectory.log",
    conda:
        "../../envs/figures.yaml"
    params:
        settings=trajectory_settings,
    script:
        "../scripts/trajectory.py"


rule expansion:
    input:
        examples=rules.examples.output.examples,
        order=rules.continuation_batches.output.order,
        checkpoints=rules.training.output.checkpoints,
        changes=f"{REGIME}/counterfactuals/0.safetensors",
        code=imports("expansion.py"),
    output:
        remainders=f"{REGIME}/expansion/remainders.parquet",
        statistics=f"{REGIME}/expansion/statistics.parquet",
    log:
        "results/{study}/logs/{case}/seed-{seed}/regimes/{regime}/expansion.log",
    conda:
        "../../envs/torch.yaml"
    params:
        settings=expansion_settings,
    script:
        "../scripts/expansion.py"


rule assumptions:
    input:
        assumption_tests(),
