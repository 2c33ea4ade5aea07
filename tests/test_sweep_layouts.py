"""The same points, draws and bits on one device, on many, and in many processes."""

import socket
import subprocess
import time

import jax
import numpy as np
import pytest

from experiments import store
from experiments.sweep import Place, own_device, place
from experiments.sweep.folder import Folder
from experiments.sweep.worker import Worker
from tests.sweep_faults import chunks, jax_lane, lane, swept
from tests.test_sweep_faults import KILLER, QUIET


def devices(n):
    return {**QUIET, "XLA_FLAGS": f"--xla_force_host_platform_device_count={n}"}


def test_eight_devices_give_the_bits_of_one(tmp_path):
    result = tmp_path / "result.nc"
    command = [*KILLER, "child", str(tmp_path / "store"), str(result)]
    subprocess.run(command, env=devices(8), check=True, capture_output=True)
    assert store.load(result).identical(swept(jax_lane, None))


def started(folder, index, count=2, *coordinator, devices_here=1):
    """One process of a job, told its place as Open MPI does."""
    place = {"OMPI_COMM_WORLD_RANK": str(index), "OMPI_COMM_WORLD_SIZE": str(count)}
    command = [*KILLER, "child", str(folder / "store"), str(folder / f"{index}.nc")]
    return subprocess.Popen(
        [*command, *coordinator],
        env={**devices(devices_here), **place},
        stderr=subprocess.PIPE,
    )


def finished(job):
    error = job.communicate(timeout=300)[1]
    assert job.returncode == 0, error


def test_two_processes_of_jax_distributed_both_hold_the_whole(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        coordinator = f"127.0.0.1:{free.getsockname()[1]}"
    jobs = [
        started(tmp_path, i, 2, coordinator, devices_here=i + 1)  # not even alike
        for i in (0, 1)
    ]
    list(map(finished, jobs))
    whole = swept(jax_lane, None)
    assert all(store.load(tmp_path / f"{i}.nc").identical(whole) for i in (0, 1))


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_the_survivor_of_two_jax_processes_finishes(victim, tmp_path):
    jobs = [started(tmp_path, i) for i in (0, 1)]
    first = tmp_path / "store" / "chunks-0000" / f"{victim:08}.chunk"
    while not first.exists():
        assert jobs[victim].poll() is None, jobs[victim].communicate()
        time.sleep(1e-3)
    jobs[victim].kill()
    jobs[victim].communicate()
    assert len(chunks(tmp_path / "store")) < 16
    finished(jobs[1 - victim])
    found = store.load(tmp_path / f"{1 - victim}.nc")
    assert found.identical(swept(jax_lane, None))
    assert not (tmp_path / f"{victim}.nc").exists()


def test_a_process_that_never_came_is_replaced(tmp_path):
    whole = swept(lane, None, host=True)
    found = swept(lane, tmp_path, host=True, process=(0, 2), patience=0.1)
    assert found.identical(whole)


def test_shares_are_disjoint_and_complete(tmp_path, monkeypatch):
    monkeypatch.setattr(Worker, "rest", lambda self: None)
    shares = []
    for index in (0, 1, 2):
        folder = tmp_path / str(index)
        found = swept(lane, folder, host=True, process=(index, 3))
        shares.append((found.reason == 0).values)
    assert (np.sum(shares, axis=0) == 1).all()


def test_a_slow_process_is_helped_and_nothing_is_done_twice(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(Worker, "rest", lambda self: None)
        swept(lane, tmp_path, host=True, process=(1, 3))
    there = chunks(tmp_path)
    put, keep = [], Folder.put
    monkeypatch.setattr(Folder, "put", lambda s, *a: put.append(a[:2]) or keep(s, *a))
    found = swept(lane, tmp_path, host=True, process=(0, 3), patience=0.1)
    assert len(put) == len(set(put)) == 16 - len(there)
    assert found.identical(swept(lane, None, host=True))


OMPI = {"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"}
SRUN = {"SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "4"}
BATCH = {"SLURM_PROCID": "0", "SLURM_NTASKS": "4"}  # the script itself, not a step
KUBE = {"KUBERNETES_SERVICE_HOST": "h"}


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, (0, 1)),
        (OMPI, (1, 2)),
        (SRUN, (3, 4)),
        (BATCH, (0, 1)),
        ({**SRUN, **OMPI}, (1, 2)),
        ({"PMI_RANK": "0", "PMI_SIZE": "3"}, (0, 3)),
        (KUBE, (0, 1)),
        ({**KUBE, "JOB_COMPLETION_INDEX": "0"}, (0, 2)),
        ({**KUBE, "JOB_COMPLETION_INDEX": "4"}, (4, 5)),
    ],
)
def test_launchers_are_recognised(environment, found):
    assert place(environment) == Place(*found)


@pytest.mark.parametrize("text", ["1", "2/2", "-1/2", "a/b", "1/"])
def test_a_place_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="process = "):
        Place.parse(text)


@pytest.mark.parametrize(
    ("environment", "taken"),
    [
        ({**OMPI, "OMPI_COMM_WORLD_LOCAL_RANK": "1"}, None),
        ({"OMPI_COMM_WORLD_LOCAL_SIZE": "2", "OMPI_COMM_WORLD_LOCAL_RANK": "1"}, 1),
        ({**SRUN, "SLURM_STEP_NUM_NODES": "2", "SLURM_LOCALID": "1"}, 1),
        ({**SRUN, "SLURM_STEP_NUM_NODES": "4", "SLURM_LOCALID": "0"}, None),
    ],
)
def test_processes_on_one_machine_take_a_device_each(environment, taken, monkeypatch):
    told = []
    monkeypatch.setattr(jax.config, "update", lambda *what: told.append(what))
    assert own_device(environment) == taken
    assert own_device({**environment, "CUDA_VISIBLE_DEVICES": "0"}) is None
    assert told == [("jax_cuda_visible_devices", str(taken))][: taken is not None]
