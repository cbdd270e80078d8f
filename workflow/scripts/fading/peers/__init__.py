"""Other libraries' influence and curvature beside ours, a file per library, and what computations cost here.

Here belong measurements of time and memory, and comparisons that need another library. No study depends on them.

A library's file exports PEER, its description, and comparisons(), by name; what had to be set, and where the answers
differ all the same, is in the comparison's remark.
"""

from dataclasses import dataclass

from fading.registry import Registry


@dataclass(frozen=True)
class Peer:
    """A library: for each comparison with it, the kinds of model that it is made on.

    `absent` is for one that the study's environment lacks: why, and how to get it. Its comparisons are then left out,
    with that as their remark; any other library that can't be imported is an error.
    """

    compares: dict[str, tuple[str, ...]]
    absent: str | None = None


PEERS = Registry("peers", Peer)
