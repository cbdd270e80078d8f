"""What a shell completes: the commands of `fading`, their options, and studies, figures and files to name."""

import argparse
from collections.abc import Iterator

SHELLS = ("bash", "zsh")


def completion(parser: argparse.ArgumentParser, shell: str) -> Iterator[str]:
    """Lines for a shell to evaluate, from what the parser accepts."""
    if shell == "zsh":
        yield "autoload -U +X compinit && compinit; autoload -U +X bashcompinit && bashcompinit"
    (commands,) = (action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    yield "_fading() {"
    yield "  local word=${COMP_WORDS[COMP_CWORD]} offered="
    yield '  case "$COMP_CWORD:${COMP_WORDS[1]}:$word" in'
    yield f"    1:*) offered='{' '.join(commands)}' ;;"
    for name, command in commands.items():
        options = [option for action in command._actions for option in action.option_strings if option[:2] == "--"]
        yield f"    *:{name}:-*) offered='{' '.join(options)}' ;;"
    yield "  esac"
    yield '  COMPREPLY=($(compgen -W "$offered" -- "$word"))'
    yield "}"
    yield f"complete -o default -F _fading {parser.prog}"
