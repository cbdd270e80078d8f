include: "workflow/Snakefile"


rule study:
    """The whole study, where no rule is named: an included file's default does not count."""
    default_target: True
    input:
        rules.all.input,
