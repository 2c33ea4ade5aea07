"""Every field of every Config and base is checked, whoever fills it in."""

import dataclasses
import math
from typing import Annotated

import numpy as np
import pytest

from experiments import EXPERIMENTS, catalogue, validate
from experiments.commands import cli

MODULES = {name: catalogue.find(name) for name in sorted(EXPERIMENTS)}
OWNERS = {
    f"{name} {kind}": owner
    for name, module in MODULES.items()
    for kind, owner in (
        ("config", module.Config()),
        ("base", module.defaults(module.Config())),
    )
}
FIELDS = [
    pytest.param(owner, field.name, id=f"{name} {field.name}")
    for name, owner in OWNERS.items()
    for field in dataclasses.fields(owner)
]
MAY_BE_ZERO = {
    "signal",
    "signals",
    "bits",
    "digital",
    "digits",
    "boards",
    "write_errors",
    *("jump_rate", "exponent"),
    *("relaxation", "read_noise", "adc_bits", "line_resistance"),
    *("uneven", "reference"),
    *("board_noise", "board_noises", "delay", "delays", "Run.time", "target"),
    *("warm_up", "test_at_once"),
    *("settling", "cell_power", "conversion_energy"),
    *("digital_normal_time", "digital_overhead", "digital_idle"),
    *("seed", "batch", "chunk", "coupling", "amplifier", "coil"),
    *("tolerance", "tolerances", "capacitance", "resistance", "inductance", "noise"),
    *("spread", "spreads", "stuck_rate", "stuck_rates", "stuck_level", "required"),
}
MAY_BE_EMPTY = {"channels", "digital"}
MAY_BE_NONE = {
    *("Training.threshold", "Tuning.threshold", "Chip.threshold"),
    *("Levelled.threshold", "Drifting.threshold", "Tuning.pretraining"),
    *("Run.threshold", "Residual.threshold", "Speaking.threshold", "Tuned.threshold"),
    *("Denoising.threshold", "SuperResolution.threshold"),
    *("Varied.threshold", "Converted.threshold"),
} | {f"Imperfections.{name}" for name in ("colour", "full_scale")}


def wrong_scalars(like, may_be_zero):
    """Values that no field of the type of `like` may have."""
    if isinstance(like, str):
        return ["", "nonsense", 3, None, math.nan]
    wrong = [
        "x",
        "3",
        None,
        (),
        [like],
        {},
        True,
        1j,
        -1,
        math.nan,
        math.inf,
        -math.inf,
    ]
    wrong += [np.array([1, 2]), np.float32("nan"), 10**400]
    wrong += [1.5, 10**12] if isinstance(like, int) else [-0.5, 1e300]
    return wrong if may_be_zero else [*wrong, 0]


def wrong_values(owner, name):
    like, full = getattr(owner, name), f"{type(owner).__name__}.{name}"
    may_be_zero = bool({name, full} & MAY_BE_ZERO)
    if name == "write_noise":  # of a base; a Config's is the threshold too
        may_be_zero = type(owner).__name__ != "Config"
    if not isinstance(like, tuple):
        wrong = wrong_scalars(1.0 if like is None else like, may_be_zero)
        return [v for v in wrong if v is not None or full not in MAY_BE_NONE]
    first = like[0] if like else 8
    items = [(v,) for v in wrong_scalars(first, may_be_zero)]
    scalars = [first, "x", None, math.nan, {first: first}]
    return items + scalars + ([] if name in MAY_BE_EMPTY else [(), []])


@pytest.mark.parametrize(("owner", "name"), FIELDS)
def test_what_a_field_cannot_be_is_refused_by_its_name(owner, name):
    for value in wrong_values(owner, name):
        named = rf"{type(owner).__name__}\.{name}(\[0\])? = .*: "
        with pytest.raises(ValueError, match=named):
            dataclasses.replace(owner, **{name: value})


@pytest.mark.parametrize("owner", OWNERS.values(), ids=OWNERS)
def test_what_is_meant_becomes_the_type_that_is_declared(owner):
    numpy = {f.name: np_like(getattr(owner, f.name)) for f in dataclasses.fields(owner)}
    again = type(owner)(**numpy)
    assert again == owner
    assert repr(again) == repr(owner)  # 1 and np.int64(1) and 1.0 are equal, too


def np_like(value):
    """The same value as NumPy and JSON have it."""
    if isinstance(value, tuple):
        return [np_like(v) for v in value]
    if isinstance(value, float) and value.is_integer() and value < 2**31:
        return np.int32(value)
    return np.array([value])[0] if isinstance(value, int | float) else value


def test_an_annotation_says_all_there_is_to_say():
    @dataclasses.dataclass
    class Thing:
        loud: bool = False
        cap: validate.Positive | None = None
        names: validate.Distinct[Annotated[str, validate.one_of("a", "b")]] = ("a",)
        rising: validate.Ascending[float] = (-1.0, 2.0)
        plain: tuple[int, ...] = ()
        __post_init__ = validate.check

    assert Thing(np.True_, 2, ["b", "a"]).cap == 2.0
    wrong = [
        ({"loud": 1}, "Thing.loud = 1: must be True or False"),
        ({"cap": 0}, "Thing.cap = 0.0: must be positive"),
        ({"names": ("a", "a")}, r"Thing.names = .*: must hold no value twice"),
        ({"names": ("c",)}, r"Thing.names\[0\] = 'c': must be one of a, b"),
        ({"rising": (1.0, 1.0)}, r"Thing.rising = .*: must increase"),
        ({"plain": (1, 2.0)}, r"Thing.plain\[1\] = 2.0: must be a whole number"),
    ]
    for fields, message in wrong:
        with pytest.raises(ValueError, match=message):
            Thing(**fields)


@pytest.mark.parametrize("name", MODULES)
def test_the_command_line_refuses_alike_and_writes_nothing(
    name, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "200")
    commands = [
        (["run", name, "--seed", "-1"], "Config.seed = -1: must be from 0"),
    ]
    if hasattr(MODULES[name].defaults(MODULES[name].Config()), "batch"):
        words = ["sweep", name, "--grid", "batch=0,-1"]
        commands.append((words, ".batch = -1: must be from 0"))
    for words, message in commands:
        assert status([*words, "--results", str(tmp_path)]) == 2
        assert message in capsys.readouterr().err
        assert not list(tmp_path.iterdir())


def status(words):
    try:
        return cli.main(words)
    except SystemExit as e:
        return e.code
