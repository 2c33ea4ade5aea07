"""Everything that computes a figure or a table: `python -m experiments list`."""

EXPERIMENTS: dict[str, str] = {}
"""Name -> module, in the order in which `reproduce` runs them."""
