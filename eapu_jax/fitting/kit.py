"""Devices by the names that IBM's analog hardware kit gives their constants."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eapu_jax.checks import number, one_of
from eapu_jax.chips import Spread
from eapu_jax.crossbar import Crossbar
from eapu_jax.devices import ExponentialStep, LinearStep, SoftBounds

_PULSED = {
    "dw_min": 0.001, "dw_min_dtod": 0.3, "dw_min_std": 0.3, "up_down": 0.0,
    "up_down_dtod": 0.01, "w_max": 0.6, "w_max_dtod": 0.3, "w_min": -0.6,
    "w_min_dtod": 0.3, "corrupt_devices_prob": 0.0, "diffusion": 0.0, "lifetime": 0.0,
}  # fmt: skip
_LINES = {
    "gamma_up": 0.0, "gamma_down": 0.0, "gamma_up_dtod": 0.05, "gamma_down_dtod": 0.05,
    "write_noise_std": 0.0, "reverse_up": False, "reverse_down": False,
}  # fmt: skip
_SOFT = {"write_noise_std": 0.0, "reverse_up": False, "reverse_down": False}
_EXPONENTIAL = {
    "A_up": 0.00081, "A_down": 0.36833, "gamma_up": 12.44625, "gamma_down": 12.78785,
    "a": 0.244, "b": 0.2425, "dw_min_std_add": 0.0, "dw_min_std_slope": 0.0,
    "write_noise_std": 0.0,
}  # fmt: skip
_KINDS: dict[str, dict[str, Any]] = {
    "ConstantStep": _PULSED,
    "LinearStep": _PULSED | _LINES,
    "SoftBounds": _PULSED | _SOFT,
    "ExpStep": _PULSED | _EXPONENTIAL,
}
_NOT_OURS = (
    "diffusion", "lifetime", "write_noise_std", "reverse_up", "reverse_down",
    "dw_min_std_add", "dw_min_std_slope",
)  # fmt: skip
_NO_MATTER = (
    "construction_seed", "corrupt_devices_range", "diffusion_dtod", "lifetime_dtod",
    "reset", "reset_dtod", "reset_std", "enforce_consistency", "mean_bound_reference",
    "mult_noise", "reverse_offset",
)  # fmt: skip
_STUCK_LEVELS = 11  # that stand for a level anywhere in the window


def from_kit(
    kind: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    scale: float = 80.0,
    dropping: Sequence[str] = (),
) -> tuple[Crossbar, Spread]:
    r"""A device from the parameters of IBM's analog hardware kit, and its spread.

    The kit counts in weights, with the window `w_min` < 0 < `w_max`. What it STATES of
    a pulse at the weight $w$, without noise, with $D_\pm$ = `dw_min` (1 ± `up_down`):

    - ConstantStep: $D_+$ upwards, $-D_-$ downwards;
    - LinearStep: $D_+ (1 - \gamma_+ w / w_\mathrm{max})$ and
      $-D_- (1 - \gamma_- w / w_\mathrm{min})$;
    - SoftBounds: LinearStep with $\gamma_\pm = 1$;
    - ExpStep: $D_+ \max(1 - A_+ e^{\gamma_+ z}, 0)$ and
      $-D_- \max(1 - A_- e^{-\gamma_- z}, 0)$,

    with $z = 2 a w / (w_\mathrm{max} - w_\mathrm{min}) + b$. Ours, with the middle $m$
    and half the width $h$ of the window and $S$ = `scale`:

    - conductance: $g = S w$, weights per µS $1 / S$;
    - LinearStep (DERIVED): `pulse` $= S D_+ (1 - \gamma_+ m / w_\mathrm{max})$,
      `slope_up` $= (\gamma_+ h / w_\mathrm{max}) / (1 - \gamma_+ m / w_\mathrm{max})$,
      downwards likewise with $w_\mathrm{min}$;
    - ExpStep (DERIVED): `tilt` $= a$, `offset` $= b + a m / h$, `pulse` $= S D_+$; a
      train follows the flow of the step, which equals pulse after pulse up to a
      relative $O(D / h)$;
    - noise of a pulse (INFERRED): $S$ `dw_min_std` `dw_min` everywhere; there it is
      the step's own size times `dw_min_std` unless `mult_noise` is off;
    - spread from cell to cell: `w_min_dtod`, `w_max_dtod`, `dw_min_dtod` are those of
      `g_min`, `g_max`, `pulse`; `up_down_dtod` $\sigma$ is $2 \sigma / (1 -
      \beta^2)$ of `down_ratio`, to first order (INFERRED); `gamma_up_dtod` is divided
      by `gamma_up`, which for ours is relative. The law is "normal" (STATED there),
      "lognormal" with `dw_min_dtod_log_normal`;
    - `corrupt_devices_prob` is `stuck_rate`, on eleven levels across the window.

    Parameters that are not given have the kit's defaults (STATED). What matters only
    when a reset is called for, or when the kit builds its arrays, is passed over.

    Args:
        kind: "ConstantStep", "LinearStep", "SoftBounds" or "ExpStep".
        parameters: by the kit's names.
        scale: $S$, conductance per weight, µS. ASSUMED: the kit has no conductances.
        dropping: names of parameters that we have nothing for and that may be lost.

    Returns:
        The array of the nominal device, and how cells stray from it.

    Raises:
        ValueError: on a parameter that is not known, is out of bounds, or would be
            lost without a word.

    Example:
        >>> crossbar, spread = from_kit(
        ...     "LinearStep",
        ...     {"w_min": -1.0, "w_max": 1.0, "dw_min": 0.01, "gamma_up": 0.2},
        ...     dropping=["gamma_down_dtod"],  # no relative spread of nothing
        ... )
        >>> round(crossbar.device.pulse, 6), round(crossbar.device.slope_up, 6)
        (0.8, 0.2)
        >>> spread.cell_to_cell["pulse"], spread.law
        (0.3, 'normal')
    """
    one_of("kind", kind, tuple(_KINDS))
    number("scale", scale, above=0)
    given = {} if parameters is None else parameters
    if not isinstance(given, Mapping):
        raise ValueError(f"parameters must map names to numbers, got {given!r}")
    dropped = _named(dropping)
    held = _held(kind, given, dropped)
    device = _DEVICES[kind](held, float(scale))
    crossbar = Crossbar(device=device, r_wg=1 / float(scale))
    return crossbar, _spread(held, device, given, dropped)


def _named(dropping: Any) -> tuple[str, ...]:
    if isinstance(dropping, str) or not isinstance(dropping, Sequence | set):
        raise ValueError(f"dropping must be a list of names, got {dropping!r}")
    return tuple(dropping)


def _held(kind: str, given: Mapping[str, Any], dropped: tuple[str, ...]):
    """All parameters of this kind, each a number within its bounds."""
    known = _KINDS[kind]
    for name in (*given, *dropped):
        if name not in known and name not in (*_NO_MATTER, "dw_min_dtod_log_normal"):
            raise ValueError(
                f"parameters must be of {', '.join(known)} for {kind}, got {name!r}"
            )
    held = {**known, **{n: v for n, v in given.items() if n in known}}
    for name, value in held.items():
        if isinstance(known[name], bool):
            one_of(f"parameters[{name!r}]", value, (True, False))
        else:
            number(f"parameters[{name!r}]", value, **_bounds(kind, name))
    for name in _NOT_OURS:
        if held.get(name) and name not in dropped:
            raise ValueError(
                f"parameters[{name!r}] must be 0, for which there is nothing here, got "
                f"{held[name]!r}: name it in `dropping` to go on without it"
            )
    return held


def _bounds(kind: str, name: str) -> dict[str, Any]:
    if name in ("w_max", "dw_min") or (kind == "ExpStep" and "gamma" in name):
        return {"above": 0}
    if name == "up_down":
        return {"above": -1, "under": 1}
    if name in ("gamma_up", "gamma_down", "corrupt_devices_prob"):
        return {"at_least": 0, "at_most": 1}
    if name == "w_min":
        return {"under": 0}
    return {} if name in ("a", "b", "A_up", "A_down") else {"at_least": 0}


def _common(held: Mapping[str, Any], scale: float) -> dict[str, float]:
    return {
        "g_min": scale * held["w_min"],
        "g_max": scale * held["w_max"],
        "write_noise": scale * held["dw_min_std"] * held["dw_min"],
    }


def _lines(held: Mapping[str, Any], gammas: tuple[float, float], scale: float):
    """Pulse, ratio and slopes about the middle of the window."""
    middle = (held["w_max"] + held["w_min"]) / 2
    half = (held["w_max"] - held["w_min"]) / 2
    up = 1 - gammas[0] * middle / held["w_max"]
    down = 1 - gammas[1] * middle / held["w_min"]
    rising, falling = 1 + held["up_down"], 1 - held["up_down"]
    return {
        "pulse": scale * held["dw_min"] * rising * up,
        "down_ratio": falling * down / (rising * up),
    }, {
        "slope_up": min(gammas[0] * half / held["w_max"] / up, 1.0),
        "slope_down": min(-gammas[1] * half / held["w_min"] / down, 1.0),
    }


def _constant(held: Mapping[str, Any], scale: float) -> LinearStep:
    steps, slopes = _lines(held, (0.0, 0.0), scale)
    return LinearStep(**_common(held, scale), **steps, **slopes)


def _linear(held: Mapping[str, Any], scale: float) -> LinearStep:
    steps, slopes = _lines(held, (held["gamma_up"], held["gamma_down"]), scale)
    return LinearStep(**_common(held, scale), **steps, **slopes)


def _soft(held: Mapping[str, Any], scale: float) -> SoftBounds:
    steps, _ = _lines(held, (1.0, 1.0), scale)
    return SoftBounds(**_common(held, scale), **steps)


def _exponential(held: Mapping[str, Any], scale: float) -> ExponentialStep:
    steps, _ = _lines(held, (0.0, 0.0), scale)
    middle = (held["w_max"] + held["w_min"]) / (held["w_max"] - held["w_min"])
    return ExponentialStep(
        **_common(held, scale),
        **steps,
        tilt=held["a"],
        offset=held["b"] + held["a"] * middle,
        amplitude_up=held["A_up"],
        amplitude_down=held["A_down"],
        decay_up=held["gamma_up"],
        decay_down=held["gamma_down"],
    )


_DEVICES: dict[str, Callable[[Mapping[str, Any], float], Any]] = {
    "ConstantStep": _constant,
    "LinearStep": _linear,
    "SoftBounds": _soft,
    "ExpStep": _exponential,
}


def _spread(held, device: Any, given: Mapping[str, Any], dropped) -> Spread:
    """How cells stray, relative to the nominal device."""
    ratio = 2 * held["up_down_dtod"] / (1 - held["up_down"] ** 2)
    sigmas = {
        "g_min": held["w_min_dtod"],
        "g_max": held["w_max_dtod"],
        "pulse": held["dw_min_dtod"],
        "down_ratio": ratio,
    }
    if "gamma_up_dtod" in held:
        for way in ("up", "down"):
            gamma, sigma = held[f"gamma_{way}"], held[f"gamma_{way}_dtod"]
            if gamma > 0:
                sigmas[f"slope_{way}"] = sigma / gamma
            elif sigma > 0 and f"gamma_{way}_dtod" not in dropped:
                raise ValueError(
                    f"parameters['gamma_{way}_dtod'] must be 0 where gamma_{way} is, "
                    f"got {sigma!r}: name it in `dropping` to go on without it"
                )
    log_normal = bool(given.get("dw_min_dtod_log_normal", False))
    low, high = device.g_min, device.g_max
    places = range(_STUCK_LEVELS)
    levels = tuple(low + (high - low) * k / (_STUCK_LEVELS - 1) for k in places)
    rate = held["corrupt_devices_prob"]
    return Spread(
        cell_to_cell={n: float(s) for n, s in sigmas.items() if s > 0},
        law="lognormal" if log_normal else "normal",
        stuck_rate=float(rate),
        stuck_levels=levels if rate else (0.0,),
    )
