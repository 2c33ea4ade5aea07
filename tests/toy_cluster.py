"""What clusters of processes compute in the tests, slow enough to be killed."""

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import jax.random as jr
import numpy as np

import chipsweep
from chipsweep import Moments

AXES = {"mean": [0.0, 1.0], "noise": [0.5, 1.0]}
ASKED = {"chips": 12, "chunk": 4, "reduce": {"x": Moments()}, "keep": ("x", "curve")}


def noisy(point, chip, key):
    """A number and a curve."""
    curve = point.mean + point.noise * jr.normal(key, (4,))
    return {"x": curve.sum(), "curve": curve}


def slow(point, chip, rng):
    """Plain Python that takes its time."""
    time.sleep(0.01)
    return {"y": point.mean + rng.normal()}


def sweep_of(store, **how):
    """The sweep of all tests."""
    return chipsweep.sweep(noisy, AXES, store=store, **ASKED, **how)


def slow_sweep(store, **how):
    """A sweep that can be interrupted."""
    return chipsweep.sweep(
        slow, AXES, chips=25, chunk=5, outputs={"y": float}, store=store, **how
    )


def content(where):
    """All that is kept, file by file."""
    return {
        str(p.relative_to(where)): p.read_bytes()
        for p in sorted(Path(where).rglob("*"))
        if p.is_file()
    }


class Killer:
    """A progress that ends its process after some chunks, as `kill -9` does."""

    def __init__(self, after):
        self.left = after

    def begin(self, spec, done):
        pass

    def event(self, event):
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


def forked(*jobs):
    """Each job in a process of its own, all at once; their statuses."""
    children = []
    for job in jobs:
        if not (child := os.fork()):
            job()
            os._exit(0)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(one, 0)[1]) for one in children]


if __name__ == "__main__":
    from tests.toy_cluster import slow_sweep, sweep_of  # not those of __main__

    how, store, *rest = sys.argv[1:]
    if how == "kill":  # one after the other
        for n in map(int, rest):
            ended = forked(partial(slow_sweep, store, progress=Killer(n)))
            print(*ended, flush=True)
    elif how == "devices":
        sweep_of(store, devices=int(rest[0]))
    elif how == "small":
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        sweep_of(store)
    elif how == "shares":  # at once
        n = int(rest[0])
        shares = [partial(sweep_of, store, share=(i, n)) for i in range(n)]
        print(*forked(*shares))
    else:
        print(float(np.sum(slow_sweep(store).y.values)))
