# Last: describe the study as an RO-Crate. On request: refresh the committed results and what is written about them.

from glob import glob


rule crate:
    """Describe the study as an RO-Crate."""
    input:
        results=[*rules.figures.input, rules.page.output.page.format(study=config["study"])],
        configuration=[*(os.path.relpath(file) for file in workflow.configfiles), ours("config/claims.yaml")],
        workflow=[ours(file) for file in project()],
        citation=ours("CITATION.cff"),
        code=code("provenance/crate.py"),
    output:
        crate=f"results/{config['study']}/ro-crate-metadata.json",
    log:
        f"results/{config['study']}/logs/crate.log",
    benchmark:
        f"results/{config['study']}/times/crate.tsv"
    conda:
        "../../envs/provenance.yaml"
    script:
        "../scripts/provenance/crate.py"


LARGEST = {"loo", "stability", "expansion", "fading"}
REFERENCE = f"results/reference/{config['study']}"
COMMITTED = [  # not the largest tables, half of the whole, which figures and their summaries show
    *("claims.csv", "claims.csv.json"),
    *(f"figures/{topic}.png" for topic in TOPICS),
    *(f"tables/{table}.csv{end}" for table in sorted({*PLAN.tables, "power"} - LARGEST) for end in ("", ".json")),
]


rule reference:
    """Copy the study's public results to be committed, and say what they cost."""
    input:
        results=[f"results/{config['study']}/{file}" for file in COMMITTED],
        code=code("provenance/reference.py"),
    log:
        f"results/{config['study']}/logs/reference.log",
    conda:
        "../../envs/figures.yaml"
    params:
        stages=lambda wildcards: {rule.name: Path(rule.snakefile).stem for rule in workflow.rules},
        on_request={name: glob(f"results/{config['study']}/*/{name}.[cp]*") for name in jobs.ON_REQUEST},
    script:
        "../scripts/provenance/reference.py"


rule scorecard:
    """Write what came out into README.md and docs, and what was recorded beside it for the page, as committed."""
    input:
        tables=[f"{REFERENCE}/claims.csv", *glob(f"{REFERENCE}/tables/*.csv")],
        costs=expand("results/reference/{study}/costs.json", study=dict.fromkeys(["full", "default", config["study"]])),
        default="results/reference/default/claims.csv",
        measured=expand("results/reference/default/tables/{table}.csv", table=["peers", "benchmark"]),
        templates=[ours(f"workflow/report/{page}.md") for page in ("findings", "results", "verdict")],
        captions=[ours(f"workflow/report/{table}.rst") for table in ("peers", "benchmark")],
        code=code("provenance/scorecard.py"),
    log:
        "results/scorecard.log",
    conda:
        "../../envs/figures.yaml"
    script:
        "../scripts/provenance/scorecard.py"
