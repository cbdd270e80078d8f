"""Which jobs a study has, what each reads and with which settings: in plain Python, from its configuration.

Here belongs all that Snakemake's rules need to know of a configuration, so that they only declare files, and what an
audit holds results against. Computing anything does not: nothing here imports torch, numpy, pandas or Snakemake.

    plan            the configuration, checked: cases, runs, estimators, how many counterfactuals
    wiring          what jobs read
    settings        what else their results depend on; parts, of which settings are made; options, of estimators
    jobs            every job of a study
    checks          can a study run so? schema, the shape of a configuration; descriptions, do they name what there is?
    closure         which source files a script runs; naming, how jobs and their logs are called
"""
