"""Constants from components of the package `hwcomponents`, which need not be there.

That package (Accelergy-Project, MIT) models the energy and the time of parts of
published chips: converters, integrators, memories. Nothing of it is imported here: a
component is handed in, and asked what one of its actions takes.
"""

import importlib.metadata
from typing import Any, NamedTuple

import numpy as np

from eapu_jax.checks import number
from eapu_jax.cost.sourced import Constant


class Costs(NamedTuple):
    """What one action of a component takes.

    Attributes:
        joules: of it.
        seconds: of it; None where the component says 0, which is how those of the
            package say that they do not model it.
    """

    joules: Constant
    seconds: Constant | None


def costs(
    component: Any, action: str, *, label: str = "STATED-2nd", **arguments: Any
) -> Costs:
    """Two constants from an action of a component, for `Machine` and `Timing`.

    Seconds are missing where the component models none. There is no band: a component
    says one number, and what the model behind it is good for say its authors.

    Args:
        component: an instance of a model of `hwcomponents`, or anything whose actions
            return `energy` (J) and `latency` (s).
        action: name of its method, such as "convert" or "read".
        label: how the numbers are known: a component of a published chip as it was
            built is "STATED-2nd", one scaled to another size or node "DERIVED".
        **arguments: of the action.

    Raises:
        ValueError: if it has no such action, or that does not say finite numbers.

    Example:
        >>> from types import SimpleNamespace as Simple
        >>> adc = Simple(convert=lambda: Simple(energy=3e-13, latency=3e-7))
        >>> found = costs(adc, "convert")
        >>> found.joules.value, found.seconds.value, found.joules.source
        (3e-13, 3e-07, 'types SimpleNamespace.convert()')
    """
    if not isinstance(action, str) or not callable(getattr(component, action, None)):
        raise ValueError(
            f"component must have the action {action!r}, got {component!r}"
        )
    answer, kind = getattr(component, action)(**arguments), type(component)
    where = f"{kind.__name__}.{action}()"
    joules, seconds = (_said(answer, x, where) for x in ("energy", "latency"))
    source = f"{_package(kind)} {where}"
    return Costs(
        _constant(joules, source, label),
        _constant(seconds, source, label) if seconds else None,
    )


def _said(answer: Any, name: str, where: str) -> float:
    value: Any = getattr(answer, name, None)
    number(f"{name} of {where}", value, at_least=0)
    if np.ndim(value):
        raise ValueError(f"{name} of {where} must be one number, got {value!r}")
    return float(value)


def _constant(x: float, source: str, label: str) -> Constant:
    return Constant(value=x, low=x, high=x, source=source, label=label)


def _package(kind: type) -> str:
    """The package of a component, with its version where that is installed."""
    name = kind.__module__.partition(".")[0]
    try:
        return f"{name} {importlib.metadata.version(name)}"
    except importlib.metadata.PackageNotFoundError:
        return name
