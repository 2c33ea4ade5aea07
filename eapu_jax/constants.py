"""Frozen sets of physical constants that are pytrees and check themselves."""

import dataclasses
from typing import Any, TypeVar, dataclass_transform

import jax

from eapu_jax.checks import check

T = TypeVar("T")


@dataclass_transform(
    frozen_default=True, kw_only_default=True, field_specifiers=(dataclasses.field,)
)
def constants(cls: type[T]) -> type[T]:
    """Make a frozen, keyword-only dataclass, a pytree of all its fields.

    Whoever makes one by name gets its `quantity` fields held against their
    bounds at once. What a tree transformation makes (a gradient, a batch, labels)
    is not checked: the slope of a loss in a standard deviation may be negative.
    Fields declared with `metadata={"static": True}` belong to the structure.

    Raises:
        ValueError: on construction, naming class, field, value and bound.

    Example:
        >>> import jax
        >>> from eapu_jax.checks import quantity
        >>> @constants
        ... class Wire:
        ...     resistance: float = quantity(1.0, at_least=0)
        >>> jax.tree.map(lambda x: -x, Wire(resistance=2.0))
        Wire(resistance=-2.0)
        >>> Wire(resistance=-2.0)
        Traceback (most recent call last):
        ...
        ValueError: Wire.resistance must be >= 0, got -2
    """
    cls.__post_init__ = check  # type: ignore[attr-defined]
    made = dataclasses.dataclass(frozen=True, kw_only=True)(cls)
    _register(made)
    return made


def _register(cls: type) -> None:
    named = dataclasses.fields(cls)  # type: ignore[arg-type]
    static = [f.name for f in named if f.metadata.get("static")]
    data = [f.name for f in named if f.name not in static]

    def flatten_with_keys(thing: Any):
        pairs = [(jax.tree_util.GetAttrKey(n), getattr(thing, n)) for n in data]
        return pairs, tuple(getattr(thing, n) for n in static)

    def flatten(thing: Any):
        held = [getattr(thing, n) for n in data]
        return held, tuple(getattr(thing, n) for n in static)

    def unflatten(kept: tuple, values: Any):
        thing = object.__new__(cls)
        for name, value in zip([*static, *data], [*kept, *values], strict=True):
            object.__setattr__(thing, name, value)
        return thing

    jax.tree_util.register_pytree_with_keys(
        cls, flatten_with_keys, unflatten, flatten_func=flatten
    )
