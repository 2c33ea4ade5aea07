"""Long computations in parts that survive an interruption.

A run names its parts; a part that is finished is on the disk and is read back,
bit for bit, whenever the same part of the same config is asked for again.
"""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import xarray as xr

from experiments import provenance, store

__all__ = ["Progress", "Work"]

_log = logging.getLogger(__name__)


class Progress(NamedTuple):
    """How far a run has come.

    Attributes:
        label: the part at hand.
        done: parts finished.
        expected: parts in all; None if unknown.
        seconds: computing time of the finished parts that were not read back.
        computed: their number.
    """

    label: str
    done: int
    expected: int | None
    seconds: float
    computed: int

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None as long as there is none."""
        if self.expected is None or not self.computed:
            return None
        return max(self.expected - self.done, 0) * self.seconds / self.computed


def _silent(progress: Progress) -> None:
    del progress


@dataclass(kw_only=True)
class Work:
    """Where the parts of one run are kept, and who hears of them.

    `Work()` keeps nothing and is silent.

    Attributes:
        folder: results of the experiment; parts go to `folder/parts`.
        config: what the parts depend on besides their label.
        report: called before and after each part.

    Example:
        >>> work = Work()
        >>> work.expect(1)
        >>> work.part("sigma 2", lambda: xr.Dataset({"loss": 0.5})).loss.item()
        0.5
    """

    folder: Path | None = None
    config: object = None
    report: Callable[[Progress], None] = _silent
    progress: Progress = field(default=Progress("", 0, None, 0.0, 0), init=False)

    def expect(self, n: int) -> None:
        """Declare how many parts will come."""
        self._tell(expected=n)

    def part(self, label: str, compute: Callable[[], xr.Dataset]) -> xr.Dataset:
        """The dataset of `label`: read back if it is there, else computed and kept.

        Args:
            label: unique within the run; everything that tells this part from
                its siblings and is not in the config.
            compute: makes the dataset; called at most once.
        """
        self._tell(label=label)
        kept = self._read(label)
        if kept is not None:
            self._tell(done=self.progress.done + 1)
            return kept
        start = time.perf_counter()
        made = self._keep(label, compute())
        self._tell(
            done=self.progress.done + 1,
            computed=self.progress.computed + 1,
            seconds=self.progress.seconds + time.perf_counter() - start,
        )
        return made

    def path(self, label: str) -> Path | None:
        """File of a part: its label made plain, and a hash of all it depends on."""
        if self.folder is None:
            return None
        code = provenance.code_hash(type(self.config).__module__)
        known = f"{label}\0{provenance.config_hash(self.config)}\0{code}"
        plain = re.sub(r"[^\w.-]+", "-", label).strip("-")[:60]
        digest = provenance.text_hash(known)
        return Path(self.folder) / "parts" / f"{plain}-{digest}.nc"

    def _read(self, label: str) -> xr.Dataset | None:
        path = self.path(label)
        if path is None or not path.exists():
            return None
        try:
            return store.load(path)
        except store.StoreError as e:
            _log.warning("part %r is computed again: %s", label, e)
            return None

    def _keep(self, label: str, dataset: xr.Dataset) -> xr.Dataset:
        """Save and read back, so that the first run sees what later runs see."""
        path = self.path(label)
        return dataset if path is None else store.load(store.save(dataset, path))

    def _tell(self, **changes) -> None:
        self.progress = self.progress._replace(**changes)
        self.report(self.progress)
