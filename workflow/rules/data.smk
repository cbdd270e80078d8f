rule data:
    input:
        runs("results/{study}/{case}/examples.safetensors"),


rule movie_reviews:
    input:
        code=imports("movie_reviews.py"),
    output:
        reviews="resources/movie-reviews.parquet",
    log:
        "resources/logs/movie-reviews.log",
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/movie_reviews.py"


rule fashion_mnist:
    input:
        code=imports("fashion_mnist.py"),
    output:
        images="resources/fashion-mnist.safetensors",
    log:
        "resources/logs/fashion-mnist.log",
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/fashion_mnist.py"


rule minilm:
    input:
        code=imports("minilm.py"),
    output:
        weights="resources/minilm.safetensors",
    log:
        "resources/logs/minilm.log",
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/minilm.py"


def dataset(wildcards):
    names = {"fashion-mnist": "fashion-mnist.safetensors", "movie-reviews": "movie-reviews.parquet"}
    return {"source": f"resources/{names[definition(wildcards)['dataset']]}"}


def drawing_settings(wildcards):
    case = definition(wildcards)
    counts = {name: count for name, count in case["examples"].items() if name != "measured"}
    return {"dataset": case["dataset"], "kind": case["model"]["kind"], **counts}


rule examples:
    input:
        unpack(dataset),
        unpack(needs_minilm),
        code=imports("examples.py"),
    output:
        examples="results/{study}/{case}/examples.safetensors",
    params:
        settings=drawing_settings,
    log:
        "results/{study}/logs/{case}/examples.log",
    conda:
        "../../envs/torch.yaml"
    script:
        "../scripts/examples.py"
