"""Whoever computes the calls of a sweep, and whatever kills them: the same bytes."""

import concurrent.futures
import os
import random
import signal
import subprocess
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import pytest

from chipsweep import StoreError
from tests import toy_cluster
from tests.toy_cluster import content, slow_sweep, sweep_of

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    where = tmp_path_factory.mktemp("alone") / "s"
    sweep_of(where)
    return content(where)


def python(*words, **how):
    command = [sys.executable, "-m", "tests.toy_cluster", *map(str, words)]
    return subprocess.Popen(command, cwd=ROOT, text=True, **how)


def test_threads_fill_a_store_with_the_same_bytes(alone, tmp_path):
    with concurrent.futures.ThreadPoolExecutor(2) as executor:
        sweep_of(tmp_path / "s", executor=executor)
    assert content(tmp_path / "s") == alone


def test_processes_fill_a_store_with_the_same_bytes(alone, tmp_path):
    spawned = get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, spawned) as executor:
        sweep_of(tmp_path / "s", executor=executor)
    assert content(tmp_path / "s") == alone


def test_an_executor_needs_a_store():
    with (
        concurrent.futures.ThreadPoolExecutor(1) as executor,
        pytest.raises(ValueError, match="needs a store"),
    ):
        sweep_of(None, executor=executor)


def test_an_executor_without_workers_is_given_up(tmp_path):
    class Nobody(concurrent.futures.Executor):
        def submit(self, *args, **kwargs):
            return concurrent.futures.Future()

    with pytest.raises(TimeoutError, match="has the executor workers"):
        sweep_of(tmp_path / "s", executor=Nobody(), timeout=0.5)


def test_a_killed_sweep_continues_to_the_same_bytes(tmp_path):
    slow_sweep(tmp_path / "whole")
    rng = random.Random(0)
    after = [rng.randrange(1, 6) for _ in range(3)]
    killing = python("kill", tmp_path / "s", *after, stdout=subprocess.PIPE)
    assert killing.communicate()[0].split() == [str(-signal.SIGKILL)] * 3
    slow_sweep(tmp_path / "s")
    assert content(tmp_path / "s") == content(tmp_path / "whole")


@pytest.mark.slow
def test_two_hundred_kills_end_with_the_same_bytes(tmp_path):
    slow_sweep(tmp_path / "whole")
    whole, rng, kills = content(tmp_path / "whole"), random.Random(1), 0
    sweeps = 0
    while kills < 200:
        sweeps += 1
        where = tmp_path / f"s{sweeps}"
        for _ in range(8):
            running = [python("go", where, stdout=subprocess.DEVNULL) for _ in "ab"]
            time.sleep(rng.uniform(0.8, 2.2))
            for one in running:
                kills += one.poll() is None
                one.kill()
                one.wait()
        slow_sweep(where)
        assert content(where) == whole


def test_shares_that_start_one_after_the_other_are_everything(alone, tmp_path):
    for part in (2, 0, 1):
        sweep_of(tmp_path / "s", share=(part, 3))
    assert content(tmp_path / "s") == alone


def test_two_starters_at_once_fill_one_store(alone, tmp_path):
    both = python("shares", tmp_path / "s", 2, stdout=subprocess.PIPE)
    assert both.communicate()[0].split() == ["0", "0"]
    assert content(tmp_path / "s") == alone


def test_the_bits_do_not_depend_on_the_number_of_devices(alone, tmp_path):
    flags = os.environ.get("XLA_FLAGS", "")
    four = f"{flags} --xla_force_host_platform_device_count=4"
    running = python(
        "devices", tmp_path / "s", 4, env={**os.environ, "XLA_FLAGS": four}
    )
    assert running.wait() == 0
    assert content(tmp_path / "s") == alone


def test_a_full_disk_is_an_error_and_the_sweep_goes_on_later(alone, tmp_path):
    full = python("small", tmp_path / "s", stderr=subprocess.PIPE)
    assert "File too large" in full.communicate()[1]
    assert full.returncode == 1
    sweep_of(tmp_path / "s")
    assert content(tmp_path / "s") == alone


def test_a_worker_with_other_code_is_refused(tmp_path, monkeypatch):
    slow_sweep(tmp_path / "s", share=(0, 2))
    monkeypatch.setattr(toy_cluster, "slow", toy_cluster.noisy)
    with (
        concurrent.futures.ThreadPoolExecutor(1) as executor,
        pytest.raises(StoreError, match="programs"),
    ):
        slow_sweep(tmp_path / "s", executor=executor)


def test_an_object_store_holds_the_same(alone, tmp_path):
    pytest.importorskip("fsspec")
    address = f"memory://{tmp_path.name}/s"
    kept = sweep_of(address)
    again = sweep_of(tmp_path / "s")
    assert kept.load().identical(again.load())
    assert content(tmp_path / "s") == alone


def test_ctrl_c_keeps_what_was_done(tmp_path):
    running = python("go", tmp_path / "s", stderr=subprocess.PIPE)
    marks = tmp_path / "s" / "reason"
    while not marks.exists() or len(list(marks.glob("c.*"))) < 3:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in running.communicate()[1]
    kept = {p.name: p.stat().st_mtime_ns for p in marks.glob("c.*")}
    slow_sweep(tmp_path / "s")
    slow_sweep(tmp_path / "whole")
    assert all(p.stat().st_mtime_ns == kept.get(p.name, p.stat().st_mtime_ns)
               for p in marks.glob("c.*"))  # fmt: skip
    assert content(tmp_path / "s") == content(tmp_path / "whole")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_cannot_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises((StoreError, PermissionError)):
        sweep_of(tmp_path / "s")


@pytest.mark.slow
def test_a_real_cluster_of_dask_survives_its_workers(alone, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1) as cluster,
        distributed.Client(cluster) as client,
    ):
        sweep_of(tmp_path / "s", executor=client.get_executor())
        assert content(tmp_path / "s") == alone
        slow = tmp_path / "slow"
        started = concurrent.futures.ThreadPoolExecutor(1).submit(
            slow_sweep, slow, executor=client.get_executor(), timeout=120
        )
        while not (slow / "zarr.json").exists():
            time.sleep(0.05)
        victim = next(iter(cluster.workers.values()))
        os.kill(victim.pid, signal.SIGKILL)
        started.result(180)
    slow_sweep(tmp_path / "whole")
    assert content(slow) == content(tmp_path / "whole")
