"""The version of all that is in the wheel."""

__version__ = "0.1.0"
