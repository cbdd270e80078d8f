rule figures:
    input:
        expand(
            "results/{study}/figures/{topic}.{format}",
            study=config["study"],
            topic=TOPICS,
            format=["svg", "png"],
        ),


rule loo:
    input:
        changes=leave_one_out_changes,
        proximal=rules.proximal.output.changes,
        scores=scores_after_training,
        code=imports("loo.py"),
    output:
        pairs=f"{RUN}/loo.parquet",
        correlations=f"{RUN}/loo-correlations.parquet",
    log:
        "results/{study}/logs/{case}/seed-{seed}/loo.log",
    conda:
        "../../envs/figures.yaml"
    params:
        settings=lambda wildcards: {"estimators": definition(wildcards)["estimators"]},
    script:
        "../scripts/loo.py"


rule fading_curve:
    input:
        changes=counterfactual_changes,
        responses=responses,
        scores=scores_at_fork,
        spectrum=spectrum_at_fork,
        code=imports("fading_curve.py"),
    output:
        curve=f"{REGIME}/fading.parquet",
    log:
        "results/{study}/logs/{case}/seed-{seed}/regimes/{regime}/fading.log",
    conda:
        "../../envs/figures.yaml"
    params:
        settings=comparison_settings,
    script:
        "../scripts/fading_curve.py"


FRAMES = {
    "loo": runs(rules.loo.output.pairs),
    "fading": continuations(rules.fading_curve.output.curve),
    "divergence": continuations(rules.divergence_curve.output.curve),
    "peers": compared_with_peers(),
    "benchmark": first_runs(rules.case_benchmark.output.rows, config["cases"]),
}


rule table:
    input:
        frames=lambda wildcards: FRAMES[wildcards.topic],
        code=imports("table.py"),
    output:
        table="results/{study}/tables/{topic}.csv",
        lineage="results/{study}/tables/{topic}.csv.json",
    log:
        "results/{study}/logs/tables/{topic}.log",
    wildcard_constraints:
        topic="|".join(FRAMES),
    conda:
        "../../envs/figures.yaml"
    script:
        "../scripts/table.py"


rule loo_summary:
    input:
        correlations=runs(rules.loo.output.correlations),
        code=imports("loo_summary.py"),
    output:
        table="results/{study}/tables/loo-summary.csv",
        lineage="results/{study}/tables/loo-summary.csv.json",
    log:
        "results/{study}/logs/tables/loo-summary.log",
    conda:
        "../../envs/figures.yaml"
    script:
        "../scripts/loo_summary.py"


rule figure:
    input:
        unpack(summary),
        table="results/{study}/tables/{topic}.csv",
        code=lambda wildcards: imports(f"figure_{wildcards.topic}.py"),
    output:
        svg="results/{study}/figures/{topic}.svg",
        png=report(
            "results/{study}/figures/{topic}.png",
            category="Figures",
            labels={"topic": "{topic}"},
            caption="../report/figure.rst",
        ),
    log:
        "results/{study}/logs/figures/{topic}.log",
    wildcard_constraints:
        topic="|".join([*TOPICS, "peers"]),
    conda:
        "../../envs/figures.yaml"
    script:
        "../scripts/figure_{wildcards.topic}.py"
