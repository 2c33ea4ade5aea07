"""A machine that is timed: what fits its times, its file, and `spu_scaling` with it."""

import io

import numpy as np
import pytest
from rich.console import Console

import chipsweep
from experiments.commands import timing
from experiments.commands.meters import Found
from experiments.results.store import StoreError
from experiments.thermodynamic import digital, spu_scaling, spu_scaling_task
from experiments.thermodynamic.digital import Timing
from thermo import scaling

MACHINE = scaling.Machine(
    factor_rate=3e10, product_rate=1e11, normal_rate=2e8, overhead=3e-4
)


def times(n=1000):
    """Of the parts on a machine that is as the formula says."""
    parts = {}
    for d in (64, 256, 1024):
        factor = d**3 / 3 / MACHINE.factor_rate + MACHINE.overhead
        product = 2 * d**2 * n / MACHINE.product_rate
        parts[d] = Timing(factor, d * n / MACHINE.normal_rate, product)
    return parts


def toy(n=1000):
    return digital.fitted("a toy", times(n), n, 50.0, "told")


def test_the_constants_of_a_machine_are_found_from_its_times():
    found = toy()
    for name in ("factor_rate", "product_rate", "overhead"):
        assert getattr(found, name) == pytest.approx(getattr(MACHINE, name), rel=1e-6)
    assert found.normal_time == pytest.approx(1 / MACHINE.normal_rate)
    assert found.slowest == pytest.approx(1)
    assert found.fastest == pytest.approx(1)


def test_the_band_of_speeds_holds_every_measured_time():
    off = {64: 1.0, 256: 2.0, 1024: 1.5}
    rough = {d: Timing(*(x * off[d] for x in row)) for d, row in times().items()}
    found = digital.fitted("a toy", rough, 1000, 50.0, "told")
    total = np.array([sum(rough[d]) for d in sorted(rough)])
    fit = found.overhead + np.array(
        [d**3 / 3 / found.factor_rate + 1000 * d * found.normal_time
         + 2 * d**2 * 1000 / found.product_rate for d in sorted(rough)]
    )  # fmt: skip
    assert found.slowest == pytest.approx(min((fit / total).min(), 1))
    assert found.fastest == pytest.approx(max((fit / total).max(), 1))
    assert found.slowest < 1 < found.fastest


def test_a_file_is_read_back_as_it_was(tmp_path):
    path = tmp_path / "mine.toml"
    digital.save(toy(), path)
    assert digital.load(path) == toy()
    assert [p.name for p in tmp_path.iterdir()] == ["mine.toml"]


@pytest.mark.parametrize(
    ("text", "named"),
    [("", "factor_rate"), ("x = 1", "x"), ("[", "no TOML"), ("\udcff", "no TOML")],
)
def test_what_is_no_timed_machine_is_refused(tmp_path, text, named):
    path = tmp_path / "mine.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=rf"mine\.toml.*{named}|{named}"):
        digital.load(path)
    with pytest.raises(ValueError, match=r"Config\.digital"):
        spu_scaling.Config(digital=str(path))
    changed = toy().text().replace("power = 50.0", "power = -1.0")
    path.write_text(changed)
    with pytest.raises(ValueError, match="power"):
        digital.load(path)


def test_a_point_has_the_speeds_of_the_file(tmp_path):
    path = tmp_path / "mine.toml"
    digital.save(toy(), path)
    config = spu_scaling.Config(digital=str(path))
    point = spu_scaling.defaults(config)
    _, machine = spu_scaling_task.board_and_machine(point)
    ours = scaling.sampling(machine, 500.0, 1e3).seconds
    np.testing.assert_allclose(
        ours, scaling.sampling(MACHINE, 500.0, 1e3).seconds, 1e-5
    )
    assert point.digital_power == 50.0


@pytest.mark.slow
def test_claims_are_judged_by_bands_that_hold_the_published_values():
    smoke = spu_scaling.PRESETS["smoke"]
    found = {k: chipsweep.run(s.spec) for k, s in spu_scaling.sweeps(smoke).items()}
    rows = spu_scaling.claims(spu_scaling.derive(smoke, found))
    assert [row.verdict for row in rows] == ["trend reproduced"] * 2 + [
        "not reproduced"
    ]
    assert rows[0].ours == pytest.approx(3052, abs=1)
    assert rows[1].ours == pytest.approx(11.19, abs=0.01)
    assert all(row.low < row.ours < row.high for row in rows)


@pytest.mark.slow
def test_the_experiment_compares_with_the_machine_of_the_file(tmp_path):
    path = tmp_path / "mine.toml"
    digital.save(toy(n=10_000), path)
    smoke = spu_scaling.PRESETS["smoke"]
    config = type(smoke)(**{**vars(smoke), "digital": str(path)})
    found = {k: chipsweep.run(s.spec) for k, s in spu_scaling.sweeps(config).items()}
    dataset = spu_scaling.derive(config, found)
    for d in dataset.dimension.values:
        expected = scaling.sampling(MACHINE, d, 1e4).seconds
        np.testing.assert_allclose(
            dataset.own_digital_time.sel(dimension=d), expected, 1e-4
        )
    assert spu_scaling.claims(dataset) == []
    assert "a toy" in dataset.attrs["data"]
    words = spu_scaling.plot(dataset).axes[0].get_legend().get_texts()
    assert "measured here" in {t.get_text() for t in words}


class Clock:
    """Passes when something is done."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def takes(self, *seconds):
        left = iter(seconds)

        def do():
            self.now += next(left)

        return do


def test_a_part_takes_the_least_of_five_once_it_is_compiled():
    clock = Clock()
    parts = {
        "factor": clock.takes(1.0, 2.0, 3.0, 2.0, 4.0, 2.0),
        "normals": clock.takes(9.0, 4.0, 4.0, 5.0, 6.0, 7.0),
        "product": clock.takes(9.0, 7.0, 7.0, 7.0, 7.0, 6.0),
    }
    assert timing.timed(parts, clock) == Timing(2.0, 4.0, 6.0)


def made(tmp_path, **given):
    out = io.StringIO()
    console = Console(file=out, markup=False, highlight=False, width=200)
    do = timing.command(console, lambda platform, index: Found(None, "none is here"))
    path = tmp_path / "new" / "digital.toml"
    assert do(file=path, sizes=(32, 256), n_samples=2000, **given) == 0
    return digital.load(path), out.getvalue()


@pytest.mark.slow
def test_the_command_writes_a_file_that_the_experiment_reads(tmp_path):
    found, said = made(tmp_path)
    assert found.sizes == (32.0, 256.0)
    assert found.power == digital.POWER
    assert "ASSUMED: not measured, none is here" in said
    spu_scaling.Config(digital=str(tmp_path / "new" / "digital.toml"))
    told = timing._power({}, Found(None, "none is here"), 35.0)
    assert told == (35.0, "told")


@pytest.mark.parametrize(
    ("bad", "named"),
    [({"sizes": (64,)}, "sizes"), ({"sizes": (128, 64)}, "sizes"),
     ({"sizes": (0, 64)}, "sizes"), ({"n_samples": 0}, "n_samples"),
     ({"watts": -1.0}, "watts")],
)  # fmt: skip
def test_the_command_refuses_by_name_and_writes_nothing(tmp_path, bad, named):
    do = timing.command(Console(file=io.StringIO()))
    with pytest.raises((ValueError, StoreError), match=named):
        do(file=tmp_path / "new" / "digital.toml", **bad)
    assert list(tmp_path.iterdir()) == []
