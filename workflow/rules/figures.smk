rule figures:
    input:
        expand(
            "results/{study}/figures/{topic}.{format}",
            study=config["study"],
            topic=[*TOPICS, "claims"],
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
        settings=loo_settings,
    script:
        "../scripts/loo.py"


FRAMES = {  # of a table, the files joined in it
    "loo": first_runs(rules.loo.output.pairs, config["cases"]),
    "fading": continuations(rules.comparison.output.fading),
    "convexity": first_runs(rules.convexity.output.spectra, ASSUMED),
    "convexity-summary": first_runs(rules.convexity.output.statistics, ASSUMED),
    "stability": first_runs(rules.stability.output.solutions, ASSUMED),
    "expansion": first_continuations(rules.expansion.output.remainders),
    "divergence": continuations(rules.comparison.output.divergence),
    "gallery": first_runs(rules.gallery.output.gallery, CORRECTED),
    "peers": compared_with_peers(),
    "benchmark": first_runs(rules.case_benchmark.output.rows, config["cases"]),
}
SUMMARISED = {  # of a summary, the column averaged over examples and seeds, and the files it is in
    "fading-summary": ("spearman", continuations(rules.comparison.output.correlations)),
    "decomposition": ("share", continuations(rules.comparison.output.decomposition)),
    "remedies": ("spearman", first_runs(rules.convexity.output.remedies, ASSUMED)),
    "stability-summary": ("estimate", first_runs(rules.stability.output.statistics, ASSUMED)),
    "trajectory": ("spearman", first_runs(rules.trajectory.output.agreement, ASSUMED)),
    "expansion-summary": ("estimate", first_continuations(rules.expansion.output.statistics)),
    "planted": ("average_precision", runs(rules.planted.output.precision, PLANTED)),
    "planted-recovery": ("gain", runs(rules.planted.output.recovery, PLANTED)),
    "divergence-summary": ("estimate", continuations(rules.comparison.output.divergence_statistics)),
}
DRAWN = [
    name
    for name in [*FRAMES, *SUMMARISED, "loo-summary", "correction", "correction-paired"]
    if name not in ("peers", "benchmark")
]


rule table:
    input:
        frames=lambda wildcards: FRAMES[wildcards.table],
        code=imports("table.py"),
    output:
        table=public("results/{study}/tables/{table}.csv", "{table}"),
        lineage="results/{study}/tables/{table}.csv.json",
    log:
        "results/{study}/logs/tables/{table}.log",
    wildcard_constraints:
        table="|".join(FRAMES),
    conda:
        "../../envs/figures.yaml"
    script:
        "../scripts/table.py"


rule summary:
    input:
        frames=lambda wildcards: SUMMARISED[wildcards.table][1],
        code=imports("summary.py"),
    output:
        table=public("results/{study}/tables/{table}.csv", "{table}"),
        lineage="results/{study}/tables/{table}.csv.json",
    log:
        "results/{study}/logs/tables/{table}.log",
    wildcard_constraints:
        table="|".join(SUMMARISED),
    conda:
        "../../envs/figures.yaml"
    params:
        settings=lambda wildcards: {"value": SUMMARISED[wildcards.table][0]},
    script:
        "../scripts/summary.py"


rule loo_summary:
    input:
        correlations=first_runs(rules.loo.output.correlations, config["cases"]),
        code=imports("loo_summary.py"),
    output:
        table=public("results/{study}/tables/loo-summary.csv", "loo-summary"),
        lineage="results/{study}/tables/loo-summary.csv.json",
    log:
        "results/{study}/logs/tables/loo-summary.log",
    conda:
        "../../envs/figures.yaml"
    script:
        "../scripts/loo_summary.py"


rule correction_table:
    input:
        trials=runs(rules.corrections.output.trials, CORRECTED),
        code=imports("correction_table.py"),
    output:
        table=public("results/{study}/tables/{table}.csv", "{table}"),
        lineage="results/{study}/tables/{table}.csv.json",
    log:
        "results/{study}/logs/tables/{table}.log",
    wildcard_constraints:
        table="correction|correction-paired",
    conda:
        "../../envs/figures.yaml"
    script:
        "../scripts/correction_table.py"


rule claims:
    input:
        tables=[
            f"results/{config['study']}/tables/{table}.csv"
            for table in dict.fromkeys(one["table"] for one in claims())
        ],
        code=imports("claims.py"),
    output:
        claims=public(f"results/{config['study']}/claims.csv", "claims"),
        lineage=f"results/{config['study']}/claims.csv.json",
    log:
        f"results/{config['study']}/logs/claims.log",
    conda:
        "../../envs/figures.yaml"
    params:
        settings={"claims": claims()},
    script:
        "../scripts/claims.py"


rule readme:
    input:
        claims="results/reference/claims.csv",
        code=imports("readme.py"),
    log:
        "results/readme.log",
    conda:
        "../../envs/figures.yaml"
    script:
        "../scripts/readme.py"


rule figure:
    input:
        unpack(drawn_tables),
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
        topic="|".join([*TOPICS, "claims", "peers"]),
    conda:
        "../../envs/figures.yaml"
    script:
        "../scripts/figure_{wildcards.topic}.py"
