# On request: other libraries on the same model and data, and what computations cost here. Run them when nothing else runs.


rule peer:
    """Run another library and ours side by side."""
    input:
        unpack(reads("peer")),
        code=code("peers/peer.py", model, lambda wildcards: PEERS.source(wildcards.library)),
    output:
        row=f"{RUN}/peers/{{library}}/{{what}}.parquet",
    log:
        log_of("peer", "study", "case", "run", "library", "what"),
    benchmark:
        times_of("peer", "study", "case", "run", "library", "what")
    conda:
        "../../envs/peers.yaml"
    resources:
        timing=1,
    params:
        settings=settings("peer"),
    script:
        "../scripts/peers/peer.py"


rule case_benchmark:
    """Measure what a case's computations cost."""
    input:
        unpack(reads("case_benchmark")),
        code=code("peers/case_benchmark.py", model),
    output:
        rows=f"{RUN}/benchmark.parquet",
    log:
        log_of("case_benchmark", "study", "case", "run"),
    benchmark:
        times_of("case_benchmark", "study", "case", "run")
    conda:
        "../../envs/torch.yaml"
    resources:
        timing=1,
    params:
        settings=settings("case_benchmark"),
    script:
        "../scripts/peers/case_benchmark.py"


rule peers:
    """Other libraries beside ours, in a table and a figure."""
    input:
        [f"results/{config['study']}/figures/peers.{format}" for format in ("svg", "png")],


rule benchmark:
    """Print what computations cost here."""
    input:
        table=f"results/{config['study']}/tables/benchmark.csv",
        code=code("peers/benchmark.py"),
    log:
        f"results/{config['study']}/logs/benchmark.log",
    conda:
        "../../envs/figures.yaml"
    script:
        "../scripts/peers/benchmark.py"
