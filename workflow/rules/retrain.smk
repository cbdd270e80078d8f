rule leave_one_out:
    input:
        examples=rules.examples.output.examples,
        order=rules.batches.output.order,
        checkpoints=rules.training.output.checkpoints,
        code=imports("leave_one_out.py"),
    output:
        changes=f"{RUN}/leave-one-out/{{chunk}}.safetensors",
    log:
        "results/{study}/logs/{case}/seed-{seed}/leave-one-out/{chunk}.log",
    conda:
        "../../envs/torch.yaml"
    params:
        settings=leave_one_out_settings,
    script:
        "../scripts/leave_one_out.py"


rule proximal:
    input:
        examples=rules.examples.output.examples,
        order=rules.batches.output.order,
        checkpoints=rules.training.output.checkpoints,
        code=imports("proximal.py"),
    output:
        changes=f"{RUN}/proximal.safetensors",
    log:
        "results/{study}/logs/{case}/seed-{seed}/proximal.log",
    conda:
        "../../envs/torch.yaml"
    params:
        settings=proximal_settings,
    script:
        "../scripts/proximal.py"


rule continuation_batches:
    input:
        code=imports("batches.py"),
    output:
        order=f"{REGIME}/batches.safetensors",
    log:
        "results/{study}/logs/{case}/seed-{seed}/regimes/{regime}/batches.log",
    conda:
        "../../envs/figures.yaml"
    params:
        settings=continuation_order_settings,
    script:
        "../scripts/batches.py"


rule counterfactuals:
    input:
        examples=rules.examples.output.examples,
        order=rules.continuation_batches.output.order,
        checkpoints=rules.training.output.checkpoints,
        spectrum=spectrum_at_fork,
        code=imports("counterfactuals.py"),
    output:
        changes=f"{REGIME}/counterfactuals/{{chunk}}.safetensors",
    log:
        "results/{study}/logs/{case}/seed-{seed}/regimes/{regime}/counterfactuals/{chunk}.log",
    conda:
        "../../envs/torch.yaml"
    params:
        settings=counterfactual_settings,
    script:
        "../scripts/counterfactuals.py"


rule retrain:
    input:
        all_changes(),
