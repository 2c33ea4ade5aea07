"""The sweep engine: what it costs, how it scales out, how soon it resumes.

Every contestant runs in a process of its own, on all cores that this one was
given at its start; the workload is a chip of `chip_yield`, 3 epochs of digits.
`python -m benchmarks.sweep` prints the rows alone.
"""

import concurrent.futures
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

CHUNK, EIGHT, STORED = 32, 8, 40_000
CORES = os.cpu_count() or 1
AXES = {"spread": [0.5], "stuck_rate": [0.02]}


def rows(chips: int = 512, repeats: int = 3) -> list[dict]:
    """Figures of merit of the engine."""
    with tempfile.TemporaryDirectory() as folder:
        turns = [_turn(chips) for _ in range(repeats)]
        child("sweep", CORES, chips, store=folder, stop=1)
        again = child("sweep", CORES, chips, store=folder)
        long = [(child("hand", 1, 4 * chips), child("sweep", 1, 4 * chips))]
        long += [(child("hand", 1, 4 * chips), child("sweep", 1, 4 * chips))]
    mine, wide, eight, cores = zip(*turns, strict=True)
    hand, engine = (min(t["cpu"] for t in told) for told in zip(*long, strict=True))
    best = _most([*mine, *wide])
    cluster, processes = _spread(16 * chips)
    start = min(t["first"] for t in cores)
    batch = 10_000 / _most(cores) + start
    return [
        {
            "name": "sweep / hand-written vmap+scan, CPU time",
            "value": engine / hand,
            "unit": "x",
            "target": "<= 1.03",
            "floor": 1.0,
            "note": f"{4 * chips} chips, no compiling, no imports; "
            f"{engine - hand:.1f} s in all",
        },
        {
            "name": "8 virtual devices / best single device, throughput",
            "value": _most(eight) / best,
            "unit": "x",
            "target": ">= 0.85",
            "note": f"best of {repeats}; {CORES} devices {_most(cores) / best:.2f}",
        },
        {
            "name": "resume: start of the process to the first new chunk begun",
            "value": again["begun"],
            "unit": "s",
            "target": "<= 3",
            "note": f"import, cached compile; chunk done at {again['first']:.1f} s",
        },
        {
            "name": "10,000 digits-MLP chips x 3 epochs",
            "value": batch,
            "unit": "s",
            "target": "<= 40",
            "note": f"from {chips} chips on {CORES} cores, start included",
        },
        {
            "name": "memory of that",
            "value": max(t["bytes"] for t in cores) / 1e9,
            "unit": "GB",
            "target": "<= 4",
            "note": "peak resident; constant in the number of chips",
        },
        {
            "name": "two workers of dask / two processes with a share each",
            "value": cluster / processes,
            "unit": "x",
            "target": ">= 0.95",
            "floor": 1.0,
            "note": f"throughput, last half of {16 * chips} chips, {4 * CHUNK} a call",
        },
        {
            "name": f"opening a store of {STORED:,} chips",
            "value": child("open", 1, STORED)["opened"],
            "unit": "s",
            "target": "<= 0.1",
            "note": "`chipsweep.opened`, median of 5",
        },
    ]


def _spread(chips: int) -> tuple[float, float]:
    """Chips per second of a cluster, and of processes that know of no other."""
    with tempfile.TemporaryDirectory() as store:
        wide = 4 * CHUNK
        cluster = child("dask", 1, chips, chunk=wide, store=f"{store}/s")["rate"]
        with concurrent.futures.ThreadPoolExecutor(2) as both:
            told = both.map(
                lambda part: child(
                    f"share {part}", 1, chips, chunk=wide, store=f"{store}/p"
                ),
                range(2),
            )
            return cluster, sum(one["rate"] for one in told)


def _turn(chips: int) -> tuple[dict, ...]:
    """Every contestant once: another load on the machine falls on all alike."""
    return (
        child("sweep", 1, chips),
        child("sweep", 1, chips, chunk=4 * CHUNK),
        child("sweep", EIGHT, chips),
        child("sweep", CORES, chips),
    )


def _most(told) -> float:
    return max(one["rate"] for one in told)


def child(
    what: str, devices: int, chips: int, *, chunk=CHUNK, store="", stop=0
) -> dict:
    """One contestant in a process of its own."""
    flags = f"--xla_force_host_platform_device_count={devices}"
    quiet = {"XLA_FLAGS": flags, "TF_CPP_MIN_LOG_LEVEL": "3"}
    told = json.dumps([what, chips, chunk, store, stop, time.time()])
    command = [sys.executable, "-m", "benchmarks.sweep", told]
    free = (
        "import os, sys; os.sched_setaffinity(0, range(os.cpu_count())); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", free, *command],
        env={**os.environ, **quiet},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def contestant(what, chips, chunk, store, stop, born) -> dict:
    """Compute and tell times since `born`, and what was used."""
    from experiments.commands import machine

    machine.prepare()
    if what == "hand":
        return by_hand(chips, chunk)
    if what == "open":
        return {"opened": opening(chips)}
    import jax

    from chipsweep import Moments, Quantiles, sweep
    from experiments.memristor.chip_yield import Config, defaults, simulate

    if not store:  # xarray imports it when it first shows results: no cost of a chip
        import dask.array  # noqa: F401
    started = chunk * jax.local_device_count()
    if what == "dask":
        started = chips // 2  # by then, both workers have compiled

    class Clock:
        """When did what happen?"""

        first = begun = cpu = wall = 0.0
        done = 0

        def begin(self, spec, done):
            self.begun = time.time() - born

        def event(self, event):
            self.first = self.first or time.time() - born
            if event.done <= started:  # when a whole call is done, nothing is compiled
                self.done = event.done
                self.cpu, self.wall = time.process_time(), time.perf_counter()
            if stop and event.done >= stop:
                raise KeyboardInterrupt

    clock = Clock()
    share = (int(what.split()[1]), 2) if what.startswith("share") else None
    chips_of_mine = chips if share is None else chips // 2
    reduce = {"final": [Moments(), Quantiles()], "lifetime": [Moments(), Quantiles()]}
    with contextlib.suppress(KeyboardInterrupt), _executor(what) as executor:
        sweep(
            simulate,
            AXES,
            chips=chips,
            base=defaults(Config()),
            reduce={**reduce, "accuracy": Moments()},
            chunk=chunk,
            store=store or None,
            share=share,
            executor=executor,
            progress=clock,
        )
    left = max(chips_of_mine - clock.done, 1)
    return {
        "first": clock.first,
        "begun": clock.begun,
        "cpu": (time.process_time() - clock.cpu) * chips / left,
        "rate": left / (time.perf_counter() - clock.wall),
        "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


@contextlib.contextmanager
def _executor(what: str):
    """Two processes of dask, or none."""
    if what != "dask":
        yield None
        return
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=2, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client.get_executor()


def opening(chips: int) -> float:
    """Seconds until a store is there as a dataset."""
    import chipsweep

    with tempfile.TemporaryDirectory() as folder:
        chipsweep.sweep(
            _cheap, {"mean": [0.0]}, chips=chips, chunk=CHUNK * 8, store=f"{folder}/s",
            reduce={"x": [chipsweep.Moments(), chipsweep.Quantiles()]},
        )  # fmt: skip
        took = []
        for _ in range(5):
            clock = time.perf_counter()
            chipsweep.opened(f"{folder}/s")
            took.append(time.perf_counter() - clock)
    return sorted(took)[2]


def _cheap(point, chip, key):
    import jax

    return {"x": point.mean + jax.random.normal(key)}


def by_hand(chips: int, chunk: int) -> dict:
    """What one would write: jit(vmap(one chip)), a loop over chunks, statistics."""
    import jax
    import numpy as np

    from chipsweep import keys_of
    from chipsweep.point import Point
    from experiments.memristor.chip_yield import Config, defaults, simulate

    base = vars(defaults(Config()))

    def one(chip, spread, stuck_rate):
        fields = {**base, "spread": spread, "stuck_rate": stuck_rate}
        return simulate(Point(fields), chip, keys_of(jax.random.key(0), 0, chip))

    many = jax.jit(jax.vmap(one, in_axes=(0, None, None)))
    compiled = many.lower(np.arange(chunk), np.float32(0.5), np.float32(0.02)).compile()
    cpu, wall = time.process_time(), time.perf_counter()
    results = []
    for start in range(0, chips, chunk):
        who = np.arange(start, start + chunk)
        results.append(compiled(who, np.float32(0.5), np.float32(0.02)))
    found = [jax.device_get(r) for r in results]
    np.quantile(np.concatenate([r["final"] for r in found]), [0.05, 0.5, 0.95])
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu, "rate": chips / wall}


if __name__ == "__main__":
    if {"-h", "--help"} & set(sys.argv):
        print(__doc__)
    elif len(sys.argv) > 1:
        print(json.dumps(contestant(*json.loads(sys.argv[1]))))
    else:
        for row in rows():
            print(row)
