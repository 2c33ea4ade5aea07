"""What computes the chunks of a group, as it was decided for the whole store."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from experiments.store import StoreError
from experiments.sweep.host import Host
from experiments.sweep.kept import Error
from experiments.sweep.labels import differences
from experiments.sweep.lane import Facts
from experiments.sweep.mapped import Mapped
from experiments.sweep.processes import Place
from experiments.sweep.resources import Resources
from experiments.sweep.shelf import Shelf
from experiments.sweep.study import Group, Study

__all__ = ["Program", "program_of"]

Computed = tuple[dict[str, np.ndarray], list[Error]]


class Program(Protocol):
    """Computes chunks of one group.

    Attributes:
        chunk: lanes per chunk.
        at_once: chunks per call.
        facts: what the store must remember of the group.
        spent: seconds that the first call has taken already.
    """

    chunk: int
    at_once: int
    facts: Mapping[str, Any]
    spent: float

    def start(self, chunks: Sequence[np.ndarray]) -> Any:
        """Begin to compute some chunks, each given by the numbers of its lanes."""
        ...

    def finish(self, started: Any) -> list[Computed]:
        """Outputs and errors of each chunk, without padding."""
        ...


def program_of(
    study: Study,
    group: Group,
    resources: Resources,
    shelf: Shelf,
    *,
    traced: Facts | None = None,
    place: Place | None = None,
    show: Callable[[Mapped], None] = lambda mapped: None,
    dry: bool = False,
) -> Program:
    """What computes the chunks of a group: as decided before, if it was.

    Raises:
        StoreError: if the store's chunks come from another program.
    """
    known = shelf.known_group(group.number)

    def decide(proposed):
        facts = dict(proposed) if dry else shelf.group(group.number, proposed)
        names = ("outputs", "program")
        wrong = differences(
            {k: facts[k] for k in names}, {k: proposed[k] for k in names}
        )
        if wrong:
            raise StoreError(
                "the stored chunks were computed by another program:\n  "
                + "\n  ".join(wrong)
            )
        return facts

    if study.host:
        return Host(study, group, resources.chunk, decide, known)
    return Mapped.prepare(
        study,
        group,
        chunk=resources.chunk,
        n_devices=resources.devices,
        place=place or resources.place,
        budget=resources.budget,
        longest=None if dry else resources.longest,
        show=show,
        decide=decide,
        known=known,
        traced=traced,
    )
