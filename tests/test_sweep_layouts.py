"""The same points, draws and bits on one device, on many, and in many processes."""

import socket
import subprocess

import numpy as np
import pytest

from experiments import store
from experiments.sweep import partial, processes
from tests.sweep_faults import jax_lane, swept
from tests.test_sweep_faults import KILLER, QUIET


def devices(n):
    return {**QUIET, "XLA_FLAGS": f"--xla_force_host_platform_device_count={n}"}


def test_eight_devices_give_the_bits_of_one(tmp_path):
    result = tmp_path / "result.nc"
    command = [*KILLER, "child", str(tmp_path / "store"), str(result)]
    subprocess.run(command, env=devices(8), check=True, capture_output=True)
    assert store.load(result).identical(swept(jax_lane, None))


def test_two_processes_share_the_work_and_both_hold_the_whole(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        coordinator = f"127.0.0.1:{free.getsockname()[1]}"
    jobs = [
        subprocess.Popen(
            [
                *KILLER,
                "child",
                str(tmp_path / "store"),
                str(tmp_path / f"{i}.nc"),
                *job,
            ],
            env=devices(i + 1),  # not even alike
            stderr=subprocess.PIPE,
        )
        for i, job in enumerate([[coordinator, "2", "0"], [coordinator, "2", "1"]])
    ]
    errors = [job.communicate(timeout=300)[1] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0], errors
    whole = swept(jax_lane, None)
    assert all(store.load(tmp_path / f"{i}.nc").identical(whole) for i in (0, 1))


def test_a_lost_process_is_replaced(tmp_path, monkeypatch):
    whole = swept(jax_lane, None)
    monkeypatch.setattr(processes, "me", lambda: (0, 2))
    assert swept(jax_lane, tmp_path, patience=0.1).identical(whole)


def test_shares_are_disjoint_and_complete(tmp_path, monkeypatch):
    shares = []
    for index in (0, 1, 2):
        monkeypatch.setattr(processes, "me", lambda i=index: (i, 3))
        monkeypatch.setattr(processes, "wait", lambda missing, patience: True)
        found = swept(jax_lane, tmp_path / str(index))
        shares.append((found.reason == 0).values)
    assert (np.sum(shares, axis=0) == 1).all()
    assert not partial(tmp_path / "1").reason.identical(found.reason)


@pytest.mark.parametrize(
    ("environment", "several"),
    [
        ({}, False),
        ({"SLURM_NTASKS": "4"}, True),
        ({"SLURM_NTASKS": "1"}, False),
        ({"OMPI_COMM_WORLD_SIZE": "2"}, True),
        ({"KUBERNETES_SERVICE_HOST": "h", "JOB_COMPLETION_INDEX": "0"}, True),
        ({"KUBERNETES_SERVICE_HOST": "h"}, False),
    ],
)
def test_launchers_are_recognised(environment, several):
    assert processes._launched(environment) is several
