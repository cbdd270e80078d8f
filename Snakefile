from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/influence.smk"
include: "workflow/rules/retrain.smk"
include: "workflow/rules/effects.smk"
include: "workflow/rules/assumptions.smk"
include: "workflow/rules/correction.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/peers.smk"
include: "workflow/rules/provenance.smk"


rule all:
    """The whole study: every figure, and the crate that describes how they were made."""
    default_target: True
    input:
        rules.crate.output,
