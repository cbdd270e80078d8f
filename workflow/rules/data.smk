rule data:
    input:
        [f"results/{config['study']}/{case}/examples.safetensors" for case in config["cases"]],


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


rule examples:
    input:
        unpack(dataset),
        unpack(encoder),
        code=imports("examples.py"),
    output:
        examples="results/{study}/{case}/examples.safetensors",
    log:
        "results/{study}/logs/{case}/examples.log",
    conda:
        "../../envs/torch.yaml"
    params:
        settings=drawing_settings,
    script:
        "../scripts/examples.py"
