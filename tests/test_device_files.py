"""A device that was saved comes back, and a bad file is refused by field."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest

import eapu_jax as ej
from eapu_jax.fitting import load_device, save_device

SPREAD = ej.Spread(
    cell_to_cell={"pulse": 0.1}, stuck_rate=0.01, stuck_levels=(0.0, 9.0)
)
PRESETS = {k: v for k, v in vars(ej.presets).items() if isinstance(v, ej.Crossbar)}
OTHERS = {
    "nested": ej.Crossbar(
        device=ej.PowerRetention(
            device=ej.Wearing(device=ej.SoftBounds(pulse=1 / 3)), level=1.0
        ),
        encoding=ej.Redundant(within=ej.SingleCell(reference=0.1), copies=3),
        r_wg=ej.AbsmaxRange(window=33.3, per="column"),
        periphery=ej.Periphery(dac=ej.Dac(bits=7), adc=ej.Adc(bits=8, rail=12.0)),
    ),
    "reckoned": ej.Crossbar(
        device=ej.SoftBounds(reckoned=ej.PulseSteps(up=0.5, down=0.25))
    ),
}


@pytest.mark.parametrize("name", [*PRESETS, *OTHERS])
def test_a_device_comes_back(name, tmp_path):
    crossbar, path = (PRESETS | OTHERS)[name], tmp_path / "x.toml"
    save_device(path, crossbar, SPREAD, told='of "my" lab, µS')
    found = load_device(path)
    assert found == (crossbar, SPREAD, 'of "my" lab, µS')
    assert [p.name for p in tmp_path.iterdir()] == ["x.toml"]


def test_saving_again_says_the_same(tmp_path):
    first, second = tmp_path / "a.toml", tmp_path / "b.toml"
    save_device(first, OTHERS["nested"], SPREAD)
    found = load_device(first)
    save_device(second, found.crossbar, found.spread)
    assert first.read_bytes() == second.read_bytes()


def test_what_has_a_crossbar_and_a_spread_is_saved(tmp_path):
    @dataclasses.dataclass
    class Fitted:
        crossbar = PRESETS["SOFT_BOUNDS"]
        spread = SPREAD

    save_device(tmp_path / "x.toml", Fitted())
    assert load_device(tmp_path / "x.toml")[:2] == (Fitted.crossbar, SPREAD)


def test_scalars_of_jax_are_numbers_and_arrays_are_refused(tmp_path):
    path = tmp_path / "x.toml"
    device = ej.SoftBounds(pulse=jnp.float32(0.25))
    save_device(path, ej.Crossbar(device=device))
    assert load_device(path).crossbar.device == ej.SoftBounds(pulse=0.25)
    many = ej.Crossbar(device=ej.SoftBounds(pulse=jnp.ones(3)))
    with pytest.raises(ValueError, match=r"crossbar.device.pulse must be one number"):
        save_device(path, many)
    with pytest.raises(ValueError, match="must end in"):
        save_device(tmp_path / "x.json", many)
    with pytest.raises(ValueError, match="must be a Crossbar"):
        save_device(path, ej.SoftBounds())
    with pytest.raises(ValueError, match="cannot be written"):
        save_device(tmp_path / "none" / "x.toml", ej.Crossbar())


GOOD = """schema = "eapu-jax device 1"
[crossbar]
kind = "Crossbar"
[crossbar.device]
kind = "SoftBounds"
pulse = 0.5
[spread]
kind = "Spread"
"""
CELL = GOOD.replace("SoftBounds", "SingleCell").replace("pulse", "reference")
BAD = {
    "empty": ("", "schema must be"),
    "not toml": ("a = \n", "Invalid value"),
    "binary": (b"\xff\xfe\0", "utf-8"),
    "another schema": (GOOD.replace("device 1", "device 2"), "schema must be"),
    "no crossbar": ('schema = "eapu-jax device 1"\n', "crossbar must be a table"),
    "no spread": (GOOD.split("[spread]")[0], "spread must be a table"),
    "another kind": (GOOD.replace("SoftBounds", "os.system"), "crossbar.device.kind"),
    "a spread in place": (GOOD.replace('"Crossbar"', '"Spread"'), "crossbar.kind must"),
    "unknown field": (GOOD.replace("pulse", "plus"), "crossbar.device.plus is not"),
    "unknown table": (GOOD + "[more]\n", "more is not known"),
    "out of bounds": (GOOD.replace("0.5", "-1.0"), "SoftBounds.pulse must be > 0"),
    "words": (GOOD.replace("0.5", '"much"'), "SoftBounds.pulse must be a real number"),
    "not finite": (GOOD.replace("0.5", "nan"), "SoftBounds.pulse must be a number"),
    "no device": (CELL,
                  "Crossbar.device must be"),
    "spread of nothing": (GOOD + "law = 3\n", "Spread.law must be"),
    "told a number": ("told = 3\n" + GOOD, "told must be words"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "words"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_by_field(content, words, tmp_path):
    path = tmp_path / "x.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=words) as told:
        load_device(path)
    assert str(told.value).startswith(f"path {path}: ")


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match="No such file"):
        load_device(tmp_path / "none.toml")
    with pytest.raises(ValueError, match="directory"):
        load_device(tmp_path)
    big = tmp_path / "big.toml"
    with open(big, "wb") as file:
        file.truncate(2**20 + 1)
    with pytest.raises(ValueError, match="must be at most"):
        load_device(big)


def test_a_loaded_device_writes_as_the_one_that_was_saved(tmp_path):
    path, key = tmp_path / "x.toml", jax.random.key(0)
    device = PRESETS["RERAM_EXPONENTIAL"].device
    save_device(path, PRESETS["RERAM_EXPONENTIAL"])
    loaded = load_device(path).crossbar.device
    cells = device.init(key, jnp.linspace(-70, 70, 50))
    asked = jnp.linspace(-9, 9, 50)
    one, other = (d.write(key, cells, asked) for d in (device, loaded))
    assert jax.tree.all(jax.tree.map(lambda a, b: (a == b).all(), one, other))
