from fading.influence import USES_SPECTRUM, source


def scored_steps(case):
    """The checkpoints at which influence is estimated: the end of training and wherever a regime starts."""
    return sorted({case["training"]["steps"], *(one["from"] for one in case["regimes"])})


rule influence:
    input:
        [
            path
            for case in config["cases"]
            for path in expand(
                f"{RUN}/influence/{{estimator}}/{{step}}.safetensors",
                study=config["study"],
                case=case,
                seed=config["seeds"],
                estimator=config["definitions"][case]["estimators"],
                step=scored_steps(config["definitions"][case]),
            )
        ],


rule spectrum:
    input:
        examples=rules.examples.output.examples,
        checkpoints=rules.training.output.checkpoints,
        code=imports("spectrum.py"),
    output:
        spectrum=f"{RUN}/spectrum/{{step}}.safetensors",
    params:
        settings=lambda wildcards: {**case_settings(wildcards), **config["spectrum"]},
    log:
        "results/{study}/logs/{case}/seed-{seed}/spectrum/{step}.log",
    conda:
        "../../envs/torch.yaml"
    script:
        "../scripts/spectrum.py"


def needs_spectrum(wildcards):
    return {"spectrum": rules.spectrum.output.spectrum} if wildcards.estimator in USES_SPECTRUM else {}


rule scores:
    input:
        unpack(needs_spectrum),
        examples=rules.examples.output.examples,
        checkpoints=rules.training.output.checkpoints,
        code=lambda wildcards: imports("influence.py", source(wildcards.estimator)),
    output:
        scores=f"{RUN}/influence/{{estimator}}/{{step}}.safetensors",
    params:
        settings=lambda wildcards: {
            **case_settings(wildcards),
            **training_settings(wildcards, "learning_rate", "steps"),
        },
    log:
        "results/{study}/logs/{case}/seed-{seed}/influence/{estimator}/{step}.log",
    conda:
        "../../envs/torch.yaml"
    script:
        "../scripts/influence.py"
