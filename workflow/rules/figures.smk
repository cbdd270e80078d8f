# Stage `figures`: tables, claims judged by them, and figures, a rule each, as workflow/scripts/fading/experiments has them.


TOPICS = [*PLAN.topics, "claims"]
BESIDE_THE_PAGE = {"workflow/report/correct.html", "workflow/report/study.rst"}
WORDS_AND_LOOKS = [ours(file) for file in sorted({*project()} - BESIDE_THE_PAGE) if file.startswith("workflow/report/")]


for table in [*PLAN.tables, "peers", "benchmark"]:

    rule:
        """Join what an experiment measured, of all cases, runs and regimes, into a public table."""
        name:
            table_rule(table)
        input:
            unpack(reads(table_rule(table))),
            code=code("tables/table.py", *PLAN.summarisers(table)),
        output:
            table=public(f"{STUDY}/tables/{table}.csv", "Tables", PLAN.tables.get(table, table), table=table),
            lineage=f"{STUDY}/tables/{table}.csv.json",
        log:
            log_of(table_rule(table), "study"),
        benchmark:
            times_of(table_rule(table), "study")
        localrule: True
        conda:
            "../../envs/figures.yaml"
        params:
            settings=settings(table_rule(table)),
        script:
            "../scripts/tables/table.py"


rule claims:
    """Judge the study's claims by its tables."""
    input:
        unpack(reads("claims")),
        code=code("tables/claims.py"),
    output:
        claims=public(f"results/{config['study']}/claims.csv", "Answers", "claims", table="claims"),
        lineage=f"results/{config['study']}/claims.csv.json",
        power=public(f"results/{config['study']}/tables/power.csv", "Tables", "claims", table="power"),
        power_lineage=f"results/{config['study']}/tables/power.csv.json",
    log:
        f"results/{config['study']}/logs/claims.log",
    benchmark:
        f"results/{config['study']}/times/claims.tsv"
    conda:
        "../../envs/figures.yaml"
    params:
        settings=settings("claims"),
    script:
        "../scripts/tables/claims.py"


for topic in [*TOPICS, "peers"]:

    rule:
        """Draw a figure from its tables."""
        name:
            f"figure_{topic}"
        input:
            unpack(reads(f"figure_{topic}")),
            code=code(f"figures/{topic}.py"),
        output:
            svg=f"{STUDY}/figures/{{topic}}.svg",
            png=public(f"{STUDY}/figures/{{topic}}.png", "Figures", PLAN.topics.get(topic, topic), topic=topic),
        log:
            log_of(f"figure_{topic}", "study", "topic"),
        benchmark:
            times_of(f"figure_{topic}", "study", "topic")
        wildcard_constraints:
            topic=topic,  # the script is found by it when the job runs, and all rules here share one variable
        localrule: True
        conda:
            "../../envs/figures.yaml"
        params:
            settings=settings(f"figure_{topic}"),
        script:
            "../scripts/figures/{wildcards.topic}.py"


rule page:
    """Put the study's question, answers, figures and tables on one page, in a file that needs no other."""
    input:
        unpack(reads("page")),
        code=lambda wildcards: [*code("report/page.py")(wildcards), *WORDS_AND_LOOKS],
    output:
        page=public(f"{STUDY}/report.html", "Answers", "page", page="report.html"),
    log:
        log_of("page", "study"),
    benchmark:
        times_of("page", "study")
    localrule: True
    conda:
        "../../envs/figures.yaml"
    params:
        settings=settings("page"),
    script:
        "../scripts/report/page.py"


rule figures:
    """Every figure and every table."""
    input:
        expand(f"results/{config['study']}/tables/{{table}}.csv", table=[*PLAN.tables, "power"]),
        expand(f"results/{config['study']}/figures/{{topic}}.{{format}}", topic=TOPICS, format=("svg", "png")),
