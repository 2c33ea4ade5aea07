"""A sweep that is killed again and again: `python -m tests.sweep_faults KILLS FOLDER`.

The sweep of plain NumPy runs in forked children, so that a start costs little.
Their writer is slow and writes in pieces, so that kills hit the middle of a
write. Prints what happened as JSON.

`python -m tests.sweep_faults lost ROUNDS FOLDER`: two processes fill one store, one
of them or both are killed.

`python -m tests.sweep_faults child FOLDER RESULT [COORDINATOR]` is one process that
sweeps a jax function; it takes its place from the launcher's variables, or from
jax.distributed if there is a coordinator.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

from experiments import provenance, store
from experiments.sweep import Moments, Quantiles, sweep

PAUSE = 1e-3  # s, between the pieces of a write
AXES = {"mean": [0.0, 1.0, 2.0], "rule": ["sum", "max"]}


def lane(point, chip, dice):
    x = point.mean + dice.normal(size=50)
    time.sleep(1e-4)
    return {"x": getattr(x, point.rule)() + chip, "curve": x}


def jax_lane(point, chip, key):
    import jax.numpy as jnp
    import jax.random as jr

    x = point.mean + jr.normal(key, (50,))
    x = x if point.rule == "sum" else -x
    return {"x": jnp.sort(x)[25] + jnp.float32(chip), "curve": x}


def swept(function, folder, **more):
    reduce = {"curve": [Moments(), Quantiles()]}
    return sweep(function, AXES, chips=8, chunk=3, reduce=reduce, store=folder, **more)


def write_in_pieces(path, content):
    """What a slow disk does; the digest of a torn file must not match."""
    with open(path, "wb", buffering=0) as file:
        for piece in np.array_split(np.frombuffer(content, np.uint8), 4):
            file.write(piece.tobytes())
            time.sleep(PAUSE)


def in_child(work) -> int:
    """Fork; the child does `work` and leaves."""
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except BaseException as e:
        print(e, file=sys.stderr, flush=True)
        os._exit(1)


def undisturbed(folder: Path) -> bytes:
    def work():
        store.save(swept(lane, folder, host=True), folder.with_suffix(".nc"))

    status = os.waitpid(in_child(work), 0)[1]
    assert status == 0, f"an undisturbed run failed: {status}"
    return folder.with_suffix(".nc").read_bytes()


def killed(folder: Path, after: float, early: bool) -> bool:
    """Kill a child some time after its first write, or after its start.

    Whether it had not finished.
    """
    heard, tell = os.pipe()

    def writing(path, content):
        os.write(tell, b"w")
        write_in_pieces(path, content)

    def work():
        Path.write_bytes = writing  # type: ignore[method-assign]
        swept(lane, folder, host=True)

    child = in_child(work)
    os.close(tell)
    if not early:
        os.read(heard, 1)  # nothing comes if the child has finished
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.close(heard)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), f"a child failed by itself: {status}"
    return status == signal.SIGKILL


def chunks(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.chunk")}


def main(kills: int, folder: Path) -> dict:
    dice = random.Random(0)
    provenance.code_hash(__name__)  # known to all children
    reference = undisturbed(folder / "reference")
    told = {"kills": 0, "torn": 0, "sweeps": 0, "identical": 0, "partial": 0}
    while told["kills"] < kills:
        here = folder / f"sweep-{told['sweeps']}"
        while told["kills"] < kills and killed(
            here, dice.uniform(0.0, 0.03), dice.random() < 0.2
        ):
            told["kills"] += 1
            told["partial"] += 0 < len(chunks(here)) < 16
        told["torn"] += sum(1 for p in here.rglob(".*") if p.is_file())
        again = undisturbed(here)
        same = again == reference and chunks(here) == chunks(folder / "reference")
        told["sweeps"] += 1
        told["identical"] += same
    return told


def lost(rounds: int, folder: Path) -> dict:
    """Survivors finish alone; where none survives, a second start does."""
    dice = random.Random(0)
    reference = undisturbed(folder / "reference")
    told = {"lost": [0, 0], "alone": 0, "identical": 0}
    for i in range(rounds):
        here, victims = folder / f"job-{i}", [[0], [1], [0, 1]][i % 3]
        children = [in_child(lambda j=j, here=here: member(here, j)) for j in (0, 1)]
        while not here.is_dir() or len(chunks(here)) < 2:
            time.sleep(1e-4)
        time.sleep(dice.uniform(0.0, 0.02))
        for j in victims:
            os.kill(children[j], signal.SIGKILL)
        for j, process in enumerate(children):
            status = os.waitpid(process, 0)[1]
            told["lost"][j] += status == signal.SIGKILL
            assert status == 0 or j in victims, f"the survivor failed: {status}"
        told["alone"] += len(chunks(here)) == 16
        finished = undisturbed(here)
        same = chunks(here) == chunks(folder / "reference")
        results = [finished, *(p.read_bytes() for p in here.glob("*.nc"))]
        told["identical"] += same and set(results) == {reference}
    return told


def member(folder: Path, index: int) -> None:
    Path.write_bytes = write_in_pieces  # type: ignore[method-assign]
    place = {"process": (index, 2), "patience": 0.05}
    found = swept(lane, folder, host=True, **place)
    store.save(found, folder / f"{index}.nc")


def child(folder: str, result: str, *coordinator: str) -> None:
    if coordinator:
        import jax

        index = int(os.environ["OMPI_COMM_WORLD_RANK"])
        jax.distributed.initialize(coordinator[0], 2, index)
    Path.write_bytes = write_in_pieces  # type: ignore[method-assign]
    store.save(swept(jax_lane, folder, patience=1.0), result)


if __name__ == "__main__":
    from tests import sweep_faults  # under its name, not as __main__

    if sys.argv[1] == "child":
        sweep_faults.child(*sys.argv[2:])
    elif sys.argv[1] == "lost":
        print(json.dumps(sweep_faults.lost(int(sys.argv[2]), Path(sys.argv[3]))))
    else:
        print(json.dumps(sweep_faults.main(int(sys.argv[1]), Path(sys.argv[2]))))
