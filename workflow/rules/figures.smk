TOPICS = ["loo", "fading", "divergence"]


rule figures:
    input:
        expand(
            "results/{study}/figures/{topic}.{format}",
            study=config["study"],
            topic=TOPICS,
            format=["svg", "png"],
        ),


def scores_at(step):
    """An input function: the scores of all the case's estimators at the step that `step` finds for the wildcards."""

    def scores(wildcards):
        return expand(
            rules.scores.output.scores,
            estimator=definition(wildcards)["estimators"],
            step=step(wildcards),
            allow_missing=True,
        )

    return scores


rule loo:
    input:
        changes=leave_one_out_changes,
        scores=scores_at(lambda wildcards: definition(wildcards)["training"]["steps"]),
        code=imports("loo.py"),
    output:
        pairs=f"{RUN}/loo.parquet",
        summary=f"{RUN}/loo-summary.parquet",
    params:
        settings=lambda wildcards: {"estimators": definition(wildcards)["estimators"]},
    log:
        "results/{study}/logs/{case}/seed-{seed}/loo.log",
    conda:
        "../../envs/figures.yaml"
    script:
        "../scripts/loo.py"


def spectrum_at_fork(wildcards):
    return expand(rules.spectrum.output.spectrum, step=regime(wildcards)["from"], allow_missing=True)[0]


rule fading_curve:
    input:
        changes=changes,
        responses=responses,
        scores=scores_at(lambda wildcards: regime(wildcards)["from"]),
        spectrum=spectrum_at_fork,
        code=imports("fading_curve.py"),
    output:
        curve=f"{REGIME}/fading.parquet",
    params:
        settings=lambda wildcards: {
            "estimators": definition(wildcards)["estimators"],
            "steps": definition(wildcards)["counterfactuals"]["steps"],
            "learning_rate": regime(wildcards)["learning_rate"],
        },
    log:
        "results/{study}/logs/{case}/seed-{seed}/regimes/{regime}/fading.log",
    conda:
        "../../envs/figures.yaml"
    script:
        "../scripts/fading_curve.py"


FRAMES = {
    "loo": runs(rules.loo.output.pairs),
    "loo-summary": runs(rules.loo.output.summary),
    "fading": continuations(rules.fading_curve.output.curve),
    "divergence": continuations(rules.divergence_curve.output.curve),
}


rule table:
    input:
        frames=lambda wildcards: FRAMES[wildcards.topic],
        code=imports("table.py"),
    output:
        table="results/{study}/tables/{topic}.csv",
        lineage="results/{study}/tables/{topic}.csv.json",
    wildcard_constraints:
        topic="|".join(FRAMES),
    log:
        "results/{study}/logs/tables/{topic}.log",
    conda:
        "../../envs/figures.yaml"
    script:
        "../scripts/table.py"


def needs_summary(wildcards):
    return {"summary": "results/{study}/tables/loo-summary.csv"} if wildcards.topic == "loo" else {}


rule figure:
    input:
        unpack(needs_summary),
        table="results/{study}/tables/{topic}.csv",
        code=lambda wildcards: imports(f"figure_{wildcards.topic}.py"),
    output:
        svg="results/{study}/figures/{topic}.svg",
        png=report(
            "results/{study}/figures/{topic}.png",
            category="Figures",
            labels={"topic": "{topic}"},
            caption="../report/{topic}.rst",
        ),
    wildcard_constraints:
        topic="|".join(TOPICS),
    log:
        "results/{study}/logs/figures/{topic}.log",
    conda:
        "../../envs/figures.yaml"
    script:
        "../scripts/figure_{wildcards.topic}.py"
