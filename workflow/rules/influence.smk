rule spectrum:
    input:
        examples=rules.examples.output.examples,
        checkpoints=rules.training.output.checkpoints,
        code=imports("spectrum.py"),
    output:
        spectrum=f"{RUN}/spectrum/{{step}}.safetensors",
    log:
        "results/{study}/logs/{case}/seed-{seed}/spectrum/{step}.log",
    conda:
        "../../envs/torch.yaml"
    params:
        settings=lambda wildcards: {**case_settings(wildcards), **config["spectrum"]},
    script:
        "../scripts/spectrum.py"


rule scores:
    input:
        unpack(ritz_pairs),
        unpack(drawn_batches),
        examples=rules.examples.output.examples,
        checkpoints=rules.training.output.checkpoints,
        code=lambda wildcards: imports("influence.py", *map(source, wildcards.estimators.split("+"))),
    output:
        scores=f"{RUN}/influence/{{estimators}}/{{step}}.safetensors",
    log:
        "results/{study}/logs/{case}/seed-{seed}/influence/{estimators}/{step}.log",
    conda:
        "../../envs/torch.yaml"
    params:
        settings=score_settings,
    script:
        "../scripts/influence.py"


rule influence:
    input:
        all_scores(),
