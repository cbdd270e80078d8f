# Stage `data`: fetch datasets and pre-trained weights, each file verified by its sha256, and draw each case's examples.


SOURCES = {
    description.file: registry.source(name)
    for registry in (DATASETS, WEIGHTS)
    for name, description in registry.items()
}


rule download:
    """Fetch a dataset, or pre-trained weights."""
    input:
        code=code("data/download.py", lambda wildcards: SOURCES[wildcards.download]),
    output:
        content="resources/{download}",
    log:
        log_of("download", "download"),
    benchmark:
        times_of("download", "download")
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("download"),
    script:
        "../scripts/data/download.py"


rule source:
    """Read a case's data from the user's own files, checked."""
    input:
        given("source"),
        code=code("data/source.py"),
    output:
        source=f"{STUDY}/{{case}}/source.{{format}}",
    log:
        log_of("source", "study", "case", "format"),
    benchmark:
        times_of("source", "study", "case", "format")
    conda:
        "../../envs/torch.yaml"
    params:
        settings=settings("source"),
    script:
        "../scripts/data/source.py"


rule pretrained:
    """Read pre-trained weights from the user's own files, or fetch them from the hub, verified."""
    input:
        given("pretrained"),
        code=code("data/pretrained.py"),
    output:
        weights=f"{STUDY}/{{case}}/pretrained.safetensors",
    log:
        log_of("pretrained", "study", "case"),
    benchmark:
        times_of("pretrained", "study", "case")
    conda:
        "../../envs/torch.yaml"
    params:
        settings=settings("pretrained"),
    script:
        "../scripts/data/pretrained.py"


rule examples:
    """Draw a case's training and test examples, and compute what its frozen part makes of them."""
    input:
        unpack(reads("examples")),
        code=code("data/examples.py", dataset, encoder, frozen),
    output:
        examples=f"{STUDY}/{{case}}/examples.safetensors",
    log:
        log_of("examples", "study", "case"),
    benchmark:
        times_of("examples", "study", "case")
    conda:
        "../../envs/torch.yaml"
    params:
        settings=settings("examples"),
    script:
        "../scripts/data/examples.py"
