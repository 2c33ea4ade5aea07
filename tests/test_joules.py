"""Joules of a machine are those of its meter, over what it multiplied meanwhile."""

import io
import os
import time

import pytest
from rich.console import Console

from eapu_jax import cost
from experiments.commands import joules, meters
from experiments.commands.meters import Found


class Clock:
    """Time passes when something is made, and not else."""

    def __init__(self):
        self.now, self.made = 0.0, 0

    def __call__(self):
        return self.now

    def products(self, n):
        self.made += n
        self.now += 0.01 * n


class Meter:
    """30 W, but for the repetitions that are dearer."""

    name = "a made-up meter"

    def __init__(self, clock, watts=(30.0, 60.0, 20.0)):
        self.clock, self.watts = clock, iter(watts)

    def joules(self, do):
        start = self.clock()
        do()
        return next(self.watts) * (self.clock() - start)


def test_joules_are_power_times_time_over_multiplications():
    clock = Clock()
    found = Found(Meter(clock))
    read = joules.measured(clock.products, 1000, found, 3, 0.5, clock)
    assert [one.seconds for one in read] == pytest.approx([1e-5] * 3)
    assert [one.joules for one in read] == pytest.approx([3e-4, 6e-4, 2e-4])
    shown = joules.lines("a toy", read, found)
    assert shown[2].startswith("energy: 3e+08 pJ")
    assert "(2e+08 to 6e+08)" in shown[2]
    machine = eval(shown[-1], {"cost": cost})  # the line that one is to copy
    assert (machine.mac.low, machine.mac.value, machine.mac.high) == (2e-4, 3e-4, 6e-4)
    assert machine.mac.label == "OWN"
    assert "a made-up meter" in machine.mac.source


def test_a_repetition_takes_the_seconds_at_least():
    clock = Clock()
    [read] = joules.measured(clock.products, 1, Found(None, "none"), 1, 0.995, clock)
    before = clock.made
    clock.products(0)
    assert read.joules is None
    [_] = joules.measured(clock.products, 1, Found(None, "none"), 1, 0.005, clock)
    assert clock.made - before == 3  # one to compile, one to time, one to measure
    assert before >= 100 + 100 + 1


def test_without_a_meter_there_are_times_and_no_joules():
    out = io.StringIO()
    console = Console(file=out, markup=False, highlight=False)
    do = joules.command(console, lambda platform, index: Found(None, "none is here"))
    assert do(size=8, repetitions=2, seconds=1e-4) == 0
    shown = out.getvalue()
    assert "time: " in shown
    assert "energy: not measured, none is here" in shown
    assert "J per" not in shown
    assert "cost.Constant" not in shown


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"size": 0}, "size must be >= 1, got 0"),
        ({"repetitions": 0}, "repetitions must be >= 1"),
        ({"seconds": 0.0}, "seconds must be > 0"),
    ],
)
def test_a_measurement_of_nothing_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        joules.command(Console())(**given)


def counter(folder, name, now, most=10_000_000):
    folder.mkdir(parents=True)
    for file, text in (
        ("name", name),
        ("energy_uj", now),
        ("max_energy_range_uj", most),
    ):
        (folder / file).write_text(f"{text}\n")
    return folder


def test_counters_of_all_processors_are_added_and_parts_of_them_are_not(tmp_path):
    first = counter(tmp_path / "intel-rapl:0", "package-0", 1_000_000)
    second = counter(tmp_path / "intel-rapl:1", "package-1", 9_000_000)
    part = counter(tmp_path / "intel-rapl:0:0", "core", 0)
    board = counter(tmp_path / "intel-rapl:2", "psys", 0)

    def do():
        (first / "energy_uj").write_text("3000000\n")
        (second / "energy_uj").write_text("1500000\n")  # began anew at 10 J
        for other in (part, board):
            (other / "energy_uj").write_text("5000000\n")

    meter = meters.find("cpu", powercap=tmp_path).meter
    assert meter is not None
    assert meter.joules(do) == pytest.approx(2.0 + 2.5)


def test_counters_that_may_not_be_read_are_none(tmp_path):
    assert meters.find("cpu", powercap=tmp_path).meter is None
    folder = counter(tmp_path / "intel-rapl:0", "package-0", "secret")
    assert "cannot be read" in meters.find("cpu", powercap=tmp_path).why
    (folder / "energy_uj").unlink()
    assert "cannot be read" in meters.find("cpu", powercap=tmp_path).why
    assert meters.find("tpu").why == "no meter is known for tpu"


def test_samples_are_taken_beside_the_work():
    seen = iter([0.0, *[100.0, 300.0] * 100_000])  # the first is a trial
    meter = meters.Samples(lambda: next(seen), "made up", pause=0.002)
    start = time.perf_counter()
    drawn = meter.joules(lambda: time.sleep(0.3))
    took = time.perf_counter() - start
    assert 200 * 0.3 * 0.9 < drawn < 200 * took * 1.1


def test_a_sensor_that_fails_meanwhile_is_told():
    answers = iter(["100.0", "no"])
    meter = meters.Samples(lambda: float(next(answers)), "made up", pause=0.001)
    with pytest.raises(OSError, match="made up: could not convert"):
        meter.joules(lambda: time.sleep(0.05))


def test_a_card_is_asked_by_the_number_that_the_process_sees(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho $@ >> {tmp_path}/asked\necho 250.5\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    meter = meters.find("gpu", 1).meter
    assert meter is not None
    drawn = meter.joules(lambda: time.sleep(0.2))
    assert drawn == pytest.approx(250.5 * 0.2, rel=0.2)
    assert "-i 5 " in (tmp_path / "asked").read_text()
    program.write_text("#!/bin/sh\necho '[N/A]'\n")
    assert "no power of card 3" in meters.find("gpu", 0).why
    program.write_text("#!/bin/sh\nexit 9\n")
    assert "no power of card 3" in meters.find("gpu", 0).why
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    assert "no power of card 3" in meters.find("gpu", 0).why


def test_a_machine_without_cells_pays_for_products_memory_and_draws_alone():
    known = cost.read_constants()
    on = cost.digital("gpu_a100_mac")
    work = cost.Work(7, 11, 13, 17, 19, 23.0, 29.0)
    by_hand = (
        13 * known["gpu_a100_mac"].value
        + 23 * known["random_bit"].value
        + 29 * known["memory_bit"].value
    )
    assert cost.total(cost.energy(work, on)).value == pytest.approx(by_hand, rel=1e-12)
    with pytest.raises(ValueError, match="no constant is called 'nope'"):
        cost.digital("nope")
