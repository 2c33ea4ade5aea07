"""Two packages have the name `thermo`; only one of them can be installed."""

from importlib import metadata

__all__ = ["refuse_the_other"]


def refuse_the_other() -> None:
    """Refuse to be imported where the other package lies in the same folder.

    Raises:
        ImportError: if the `thermo` of chemical engineering is installed as well.
    """
    try:
        other = metadata.version("thermo")
    except metadata.PackageNotFoundError:
        return
    raise ImportError(
        f"the thermo {other} of chemical engineering is installed over the thermo of "
        "eapu-jax: use an environment for each, or uninstall both and install eapu-jax "
        "again"
    )
