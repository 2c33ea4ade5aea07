"""Whatever happens to a sweep, the same command ends with the same bits."""

import errno
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time

import pytest
import xarray as xr

from experiments import store
from experiments.store import StoreError
from experiments.sweep import sweep
from tests.sweep_faults import jax_lane, swept

KILLER = [sys.executable, "-m", "tests.sweep_faults"]
QUIET = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu"}
AXES = {"mean": [0.0, 1.0], "noise": [0.1, 0.5]}


def told(*words):
    """What the killer says it has seen."""
    command = [*KILLER, *map(str, words)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=QUIET, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("kills", [50, pytest.param(200, marks=pytest.mark.slow)])
def test_a_killed_sweep_ends_bit_for_bit_like_an_undisturbed_one(kills, tmp_path):
    seen = told(kills, tmp_path)
    assert seen["kills"] == kills
    assert seen["identical"] == seen["sweeps"]
    assert seen["torn"] > kills / 10  # killed in the middle of a write
    assert seen["partial"] > kills / 10  # killed with some chunks done


@pytest.mark.parametrize("rounds", [6, pytest.param(60, marks=pytest.mark.slow)])
def test_a_lost_process_is_made_up_for_by_the_other_or_a_second_start(rounds, tmp_path):
    seen = told("lost", rounds, tmp_path)
    assert seen["identical"] == rounds
    assert min(seen["lost"]) > rounds / 2  # of 2/3: killed before it had finished
    assert seen["alone"] >= 2 * rounds / 3  # every survivor finished


@pytest.mark.parametrize("kills", [1, pytest.param(5, marks=pytest.mark.slow)])
def test_a_killed_jax_process_continues(kills, tmp_path):
    command = [*KILLER, "child", str(tmp_path / "store"), str(tmp_path / "result.nc")]
    dice = random.Random(1)
    for wanted in range(1, kills + 1):
        with subprocess.Popen(command, env=QUIET, stderr=subprocess.PIPE) as child:
            while len(list((tmp_path / "store").rglob("*.chunk"))) < wanted:
                assert child.poll() in (None, 0), child.stderr
                time.sleep(1e-3)
            time.sleep(dice.uniform(0.0, 0.01))
            child.send_signal(signal.SIGKILL)
    subprocess.run(command, env=QUIET, check=True, capture_output=True)
    whole = swept(jax_lane, tmp_path / "undisturbed")
    assert store.load(tmp_path / "result.nc").identical(whole)


def test_a_full_disk_stops_with_a_clear_error_and_loses_nothing(tmp_path, monkeypatch):
    from pathlib import Path

    whole = swept(jax_lane, None)
    write, written = Path.write_bytes, []

    def full(path, content):
        write(path, content[: len(content) // 2])
        written.append(path)
        if len(written) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(StoreError, match="No space left on device"):
            swept(jax_lane, tmp_path)
    assert len(list(tmp_path.rglob("*.chunk"))) == 3
    assert swept(jax_lane, tmp_path).identical(whole)


def test_a_file_that_the_system_refuses_is_no_chunk(tmp_path):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def big(point, chip, dice):
        return {"x": dice.normal(size=10_000) + point.mean}

    axes = {"mean": [0.0, 1.0]}
    whole = sweep(big, axes, host=True, chunk=1)
    sweep(big, {"mean": [0.0]}, host=True, chunk=1)  # nothing more to import
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limit[1]))
        with pytest.raises(StoreError, match="File too large"):
            sweep(big, axes, host=True, chunk=1, store=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, old)
    assert not list(tmp_path.rglob("*.chunk"))
    xr.testing.assert_identical(
        sweep(big, axes, host=True, chunk=1, store=tmp_path), whole
    )
