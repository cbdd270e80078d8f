"""Which jobs a study has, what each reads and with which settings: in plain Python, from its configuration.

Here belongs all that Snakemake's rules need to know of a configuration, so that they only declare files, and what an
audit holds results against. Computing anything does not: nothing here imports torch, numpy, pandas or Snakemake.

    plan        the configuration, checked: cases, runs, estimators, how many counterfactuals
    settings    the settings of each rule's jobs
    wiring      what the jobs of each rule read
    jobs        every job of a study
    checks      is a configuration one that can run?    schema  the shape it must have, with what describes itself
    closure     which source files a script runs
"""
