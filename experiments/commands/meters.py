"""Meters of energy that a machine may have: what they read, and whether they can.

Nothing is estimated: where no meter can be read there is none, and it says why.
"""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

POWERCAP = Path("/sys/class/powercap")


class Meter(Protocol):
    """Joules of what happens meanwhile.

    Attributes:
        name: what it reads, in words.
    """

    name: str

    def joules(self, do: Callable[[], None]) -> float:
        """Do it; the joules that were drawn."""
        ...


class Found(NamedTuple):
    """A meter, or why there is none.

    Attributes:
        meter: None where none can be read.
        why: in words; empty where there is one.
    """

    meter: Meter | None
    why: str = ""


class Counters:
    """Energy counters of processors, as Linux shows them (powercap)."""

    name = "the energy counters of the processors (powercap): whole packages, idle too"

    def __init__(self, folders: Sequence[Path]):
        """Folders with an `energy_uj` each."""
        self._folders = folders
        self._read()  # a counter that cannot be read is none

    def joules(self, do: Callable[[], None]) -> float:
        """The sum over processors; a counter may begin anew once."""
        before = self._read()
        do()
        pairs = zip(before, self._read(), self._folders, strict=True)
        return sum(_grown(b, a, folder) for b, a, folder in pairs) * 1e-6

    def _read(self) -> list[int]:
        return [_whole(folder / "energy_uj") for folder in self._folders]


def _grown(before: int, after: int, folder: Path) -> int:
    over = after < before
    return after - before + (_whole(folder / "max_energy_range_uj") if over else 0)


def _whole(path: Path) -> int:
    return int(path.read_text(encoding="ascii"))


class Samples:
    """Power read again and again beside the work; mean power times time."""

    def __init__(
        self,
        watts: Callable[[], float],
        name: str,
        *,
        pause: float = 0.05,
        clock: Callable[[], float] = time.perf_counter,
    ):
        """Read `watts` every `pause` seconds."""
        self.name = name
        self._watts, self._pause, self._clock = watts, pause, clock
        watts()  # a sensor that cannot be read is none

    def joules(self, do: Callable[[], None]) -> float:
        """Mean power over the samples, times the time.

        Raises:
            OSError: if the sensor failed meanwhile, or the work was over before it
                answered.
        """
        over, seen, wrong = threading.Event(), [], []

        def sample() -> None:
            try:
                while not over.is_set():
                    watts = self._watts()
                    if not over.is_set():  # else it is of what comes after
                        seen.append(watts)
                    over.wait(self._pause)
            except (OSError, ValueError, subprocess.SubprocessError) as e:
                wrong.append(e)

        sampling = threading.Thread(target=sample, daemon=True)
        start = self._clock()
        sampling.start()
        try:
            do()
        finally:
            took = self._clock() - start
            over.set()
            sampling.join()
        if wrong or not seen:
            why = wrong[0] if wrong else "the work was over before it answered"
            raise OSError(f"{self.name}: {why}")
        return sum(seen) / len(seen) * took


def find(platform: str, index: int = 0, powercap: Path = POWERCAP) -> Found:
    """The meter of a device of jax, if it has one that this process may read.

    Args:
        platform: of the device: cpu, gpu or another.
        index: of the device among those that jax sees.
        powercap: folder of the counters.
    """
    if platform == "cpu":
        return _counters(powercap)
    if platform in ("gpu", "cuda"):
        return _card(index)
    return Found(None, f"no meter is known for {platform}")


def _counters(powercap: Path) -> Found:
    try:
        folders = [p for p in sorted(powercap.glob("*:*")) if _package(p)]
        if not folders:
            return Found(None, f"{powercap} has no counter of a processor")
        return Found(Counters(folders))
    except (OSError, ValueError) as e:
        return Found(None, f"the counters in {powercap} cannot be read ({e})")


def _package(folder: Path) -> bool:
    """A whole processor: parts of one are in it already."""
    name = folder / "name"
    return name.is_file() and name.read_text(encoding="ascii").startswith("package")


def _card(index: int) -> Found:
    visible = [x for x in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if x]
    card = visible[index] if index < len(visible) else str(index)

    def watts() -> float:
        words = ["nvidia-smi", "--query-gpu=power.draw", "-i", card]
        words += ["--format=csv,noheader,nounits"]
        done = subprocess.run(
            words, capture_output=True, text=True, check=True, timeout=10
        )
        return float(done.stdout)

    name = f"power.draw of nvidia-smi, card {card}: the whole card, idle too"
    try:
        return Found(Samples(watts, name))
    except (OSError, ValueError, subprocess.SubprocessError) as e:
        return Found(None, f"nvidia-smi tells no power of card {card} ({e})")
