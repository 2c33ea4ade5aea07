"""What one array is made of: its cells, and how they stand for weights."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import PyTree

from eapu_jax.checks import mask, number
from eapu_jax.constants import constants
from eapu_jax.devices import AdditiveError, Device
from eapu_jax.devices.base import Scalar, a_device
from eapu_jax.encodings import Encoding, Range, SingleCell
from eapu_jax.encodings.base import an_encoding
from eapu_jax.encodings.ranges import as_range
from eapu_jax.periphery.base import Periphery
from eapu_jax.periphery.converters import Adc


@constants
class Crossbar:
    """An array of cells that stand for the weights of one layer.

    Attributes:
        device: the model of every cell.
        encoding: how cells stand for weights.
        r_wg: weight per conductance, 1/µS: a number, or a `Range` that fits one to
            the weights at deployment. 1/80 is the value of the EaPU authors' public
            commands (STATED).
        stuck_at: conductance at which stuck cells are held, µS; one number or one
            per cell. None: no cell is stuck.
        stuck: which cells are stuck, a mask of the cells. None: all that `stuck_at`
            has a conductance for.

    Raises:
        ValueError: on a constant out of bounds, on a device that cannot be pulsed in
            a direction in which the encoding asks for it, and on an ADC with fewer
            levels than the device.

    Example:
        >>> from eapu_jax.devices import SoftBounds
        >>> Crossbar(device=SoftBounds(g_min=-40.0, g_max=40.0), r_wg=0.02).r_wg
        0.02
    """

    device: Device = AdditiveError()
    encoding: Encoding = SingleCell()
    r_wg: Range | Scalar = 1 / 80
    stuck_at: Scalar | None = None
    stuck: jax.Array | None = None
    periphery: Periphery = Periphery()

    def __check__(self):
        a_device("Crossbar.device", self.device)
        an_encoding("Crossbar.encoding", self.encoding)
        if not isinstance(self.periphery, Periphery):
            raise ValueError(
                f"Crossbar.periphery must be Periphery(...), got {self.periphery!r}"
            )
        as_range(self.r_wg)
        if self.stuck_at is not None:
            number("Crossbar.stuck_at", self.stuck_at)
        mask("Crossbar.stuck", self.stuck)
        if self.stuck_at is None and self.stuck is not None:
            raise ValueError(
                "Crossbar.stuck_at must be the conductance of the cells that "
                "Crossbar.stuck names, got None"
            )
        refused = set(self.encoding.directions) - set(self.device.directions)
        if refused:
            raise ValueError(
                f"Crossbar.encoding must ask only for pulses in the directions "
                f"{self.device.directions} of {type(self.device).__name__}, got "
                f"{self.encoding.directions} of {type(self.encoding).__name__}: a "
                'one-sided device goes with DifferentialPair(policy="up")'
            )
        for name in ("adc", "backward_adc"):
            _resolved(name, getattr(self.periphery, name), self.device)

    def fit(self, w: jax.Array) -> Scalar:
        """The scale that the range gives these weights, 1/µS."""
        return as_range(self.r_wg).fit(w)

    @property
    def fixed_scale(self) -> Scalar | None:
        """Weight per µS where it is one number for all weights; None where fitted."""
        return None if hasattr(self.r_wg, "fit") else self.r_wg  # type: ignore

    def conductance(self, cells: Any) -> jax.Array:
        """Where all cells stand, stuck ones where they are stuck. µS."""
        return self.hold_stuck(self.device.conductance(cells))

    def hold_stuck(self, g: jax.Array) -> jax.Array:
        """Put stuck cells where they are stuck, whatever was asked of them. µS."""
        if self.stuck_at is None:
            return g
        self.check_stuck(g.shape)
        return jnp.where(self.are_stuck, jnp.asarray(self.stuck_at, g.dtype), g)

    @property
    def are_stuck(self) -> Any:
        """Which cells are stuck, where any is."""
        return True if self.stuck is None else self.stuck

    def check_stuck(self, cells: tuple[int, ...]) -> None:
        """Refuse stuck cells that do not fit the cells."""
        for name in ("stuck_at", "stuck"):
            held = getattr(self, name)
            shape = () if held is None else jnp.shape(held)
            if shape not in ((), cells):
                raise ValueError(
                    f"Crossbar.{name} must have the shape of the cells {cells}, "
                    f"got {shape}"
                )


def is_crossbar(thing: Any) -> bool:
    """Whether `thing` is one crossbar."""
    return isinstance(thing, Crossbar)


def one_crossbar(crossbar: Any) -> None:
    """Refuse anything but one crossbar."""
    if not is_crossbar(crossbar):
        raise ValueError(f"crossbar must be one Crossbar, got {crossbar!r}")


def crossbars_at(crossbar: PyTree[Crossbar], paths: list[str]) -> dict[str, Crossbar]:
    """One crossbar for every path.

    Args:
        crossbar: one for all, or a tree of them: each serves the path at which it
            stands in the tree and all paths below.
        paths: of the leaves on the array.

    Raises:
        ValueError: if something in the tree is no crossbar, or a path has none.
    """
    named = _named(crossbar)
    strangers = [one for one in named.values() if not is_crossbar(one)]
    if strangers or not named:
        got = strangers[0] if strangers else crossbar
        raise ValueError(f"crossbar must hold Crossbars only, got {got!r}")
    return {path: _serving(named, path) for path in paths}


def refuse_unknown(crossbar: PyTree[Crossbar], params: PyTree) -> None:
    """Refuse a tree of crossbars in which one stands at no path of the parameters.

    A leaf that is masked away, or is digital, is a path all the same.

    Raises:
        ValueError: naming the path, and those that there are.
    """
    held = list(_named(params, _absent))
    for branch in _named(crossbar):
        if branch and not any(f"{p}/".startswith(f"{branch}/") for p in held):
            raise ValueError(
                f"crossbar must name paths of the parameters, "
                f"{', '.join(map(repr, held)) or 'none'}, got {branch!r}"
            )


def _absent(node: Any) -> bool:
    return node is None or isinstance(node, optax.MaskedNode)


def _named(tree: PyTree, is_leaf: Any = lambda x: is_crossbar(x) or x is None) -> dict:
    """What stands at every path of a tree, a crossbar as a whole."""
    from eapu_jax.placement import path_name

    found = jax.tree_util.tree_leaves_with_path(tree, is_leaf=is_leaf)
    return {path_name(path): leaf for path, leaf in found}


def _resolved(name: str, adc: Adc | None, device: Any) -> None:
    """Refuse an ADC that cannot tell the levels of a device apart."""
    bits = None if adc is None else adc.bits
    while not hasattr(device, "levels") and hasattr(device, "device"):
        device = device.device
    levels = getattr(device, "levels", 0)
    if bits is not None and levels > 2**bits - 1:
        raise ValueError(
            f"Crossbar.periphery.{name}.bits must be >= {levels.bit_length()}, so that "
            f"its 2**bits - 1 levels tell the {levels} of {type(device).__name__} "
            f"apart, got {bits}"
        )


def _serving(named: dict[str, Crossbar], path: str) -> Crossbar:
    above = path
    while above not in named and above:
        above = above.rpartition("/")[0]
    if above not in named:
        raise ValueError(
            f"crossbar must have one for {path!r} or a branch above it, got only "
            f"{', '.join(map(repr, named))}"
        )
    return named[above]
