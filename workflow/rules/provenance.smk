rule crate:
    input:
        results=rules.figures.input,
        configuration=[*(os.path.relpath(file) for file in workflow.configfiles), "config/claims.yaml"],
        workflow=["Snakefile", *(f"workflow/rules/{file.name}" for file in sorted(RULES.iterdir()))],
        project=["envs/study.lock", "CITATION.cff"],
        code=imports("crate.py"),
    output:
        crate=f"results/{config['study']}/ro-crate-metadata.json",
    log:
        f"results/{config['study']}/logs/ro-crate.log",
    conda:
        "../../envs/provenance.yaml"
    script:
        "../scripts/crate.py"


COMMITTED = [  # not the pairs of `loo`, a third of the whole, which its figure and loo-summary show
    *("claims.csv", "claims.csv.json"),
    *(f"figures/{topic}.png" for topic in [*TOPICS, "claims"]),
    *(f"tables/{table}.csv{end}" for table in DRAWN if table != "loo" for end in ("", ".json")),
]


rule reference:
    input:
        results=[f"results/{config['study']}/{file}" for file in COMMITTED],
        code=imports("reference.py"),
    log:
        f"results/{config['study']}/logs/reference.log",
    conda:
        "../../envs/figures.yaml"
    script:
        "../scripts/reference.py"
