COMPARISONS = {  # by the kind of a case's model; the names of other libraries' files and what these compare
    "resnet": [
        "captum-gradient-dot",
        "captum-gradient-dot-batched",
        "captum-abif",
        "kronfluence-ekfac",
        "curvlinops-hessian",
        "curvlinops-gauss-newton",
        "dattri-gradient-dot",
    ],
    "bert": [
        "captum-gradient-dot",
        "captum-gradient-dot-batched",
        "captum-abif",
        "kronfluence-ekfac",
        "curvlinops-hessian",
        "curvlinops-gauss-newton",
    ],
    "logistic": ["curvlinops-hessian", "dattri-exact"],
}


rule peers:
    input:
        [f"results/{config['study']}/figures/peers.{format}" for format in ("svg", "png")],


rule peer:
    input:
        examples=rules.examples.output.examples,
        checkpoints=rules.training.output.checkpoints,
        code=lambda wildcards: imports("peer.py", f"fading/peers/{wildcards.comparison.split('-')[0]}.py"),
    output:
        row=f"{RUN}/peers/{{comparison}}.parquet",
    log:
        "results/{study}/logs/{case}/seed-{seed}/peers/{comparison}.log",
    conda:
        "../../envs/peers.yaml"
    resources:
        timing=1,
    params:
        settings=peer_settings,
    script:
        "../scripts/peer.py"


rule benchmark:
    input:
        table=f"results/{config['study']}/tables/benchmark.csv",
        code=imports("benchmark_show.py"),
    log:
        f"results/{config['study']}/logs/tables/benchmark-shown.log",
    conda:
        "../../envs/figures.yaml"
    script:
        "../scripts/benchmark_show.py"


rule case_benchmark:
    input:
        examples=rules.examples.output.examples,
        checkpoints=rules.training.output.checkpoints,
        code=imports("benchmark.py"),
    output:
        rows=f"{RUN}/benchmark.parquet",
    log:
        "results/{study}/logs/{case}/seed-{seed}/benchmark.log",
    conda:
        "../../envs/torch.yaml"
    resources:
        timing=1,
    params:
        settings=benchmark_settings,
    script:
        "../scripts/benchmark.py"
