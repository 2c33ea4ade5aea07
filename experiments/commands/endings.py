"""How a command ends: with a status, and with words of ours whatever went wrong.

Nothing heavy is imported here, so that this holds from a process's first moment.
`EAPU_JAX_TRACEBACK=1` shows besides where an error came from.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["UsageError", "ended", "process"]

_SHOWN = "EAPU_JAX_TRACEBACK"
_LOWER = "lower chunk (runs at once), batch_size or test_at_once, or chips and sizes"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_STOPPED = tuple(128 + number for number in _SIGNALS)


class UsageError(ValueError):
    """The words of a command make no sense."""


class _Stopped(KeyboardInterrupt):
    """Ctrl-C or SIGTERM: both unwind in the same way, so that both keep as much."""

    def __init__(self, number: int):
        super().__init__(number)
        self.number = number


def ended(command: Callable[[], int]) -> int:
    """Do it, and turn what it raises into a message; the exit status.

    0: done; 1: something failed; 2: the arguments make no sense; 130: stopped
    by Ctrl-C, 143: by SIGTERM, finished parts are kept.
    """
    try:
        return command()
    except KeyboardInterrupt as e:
        number = e.number if isinstance(e, _Stopped) else signal.SIGINT
        by = " by SIGTERM" if number == signal.SIGTERM else ""
        _tell(f"stopped{by}; finished parts are kept, the same command resumes")
        return 128 + number
    except BrokenPipeError:  # the reader has seen enough, as `head` has
        _silence_stdout()
        return 1
    except Exception as e:
        if os.environ.get(_SHOWN):
            traceback.print_exc()
        _tell(f"error: {_words(e)}")
        return 2 if type(e) in (ValueError, UsageError) else 1


def process(load: Callable[[], Callable[[], int]]) -> int:
    """All of a process: `load` what it needs, then do what that says; the status.

    While it loads there is nothing to keep, and code that is not ours may take an
    interrupt for an error: a signal ends it at once. So does a second signal. Later a
    signal unwinds all that is ours, and then ends the process without Python's own end:
    jax may still compile in a thread, which crashes when it finds no interpreter.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # no letter is worth a crash
            stream.reconfigure(errors="backslashreplace")  # pyright: ignore
    _on_signals(_leave)

    def whole() -> int:
        command = load()
        _on_signals(_stop)
        status = command()
        sys.stdout.flush()
        return status

    try:
        status = ended(whole)
    finally:
        _on_signals(_leave)
        _flush_stdout()
    if status in _STOPPED:
        os._exit(status)
    return status


def _words(e: Exception) -> str:
    if isinstance(e, MemoryError) or "RESOURCE_EXHAUSTED" in str(e):
        why = e.__cause__ if isinstance(e.__cause__, Exception) else e
        return f"out of memory: {_LOWER}; finished parts are kept ({_text(why)})"
    if isinstance(e, OSError) and e.strerror:
        return ": ".join(str(s) for s in (e.filename, e.strerror) if s is not None)
    if type(e) is ValueError or isinstance(e, OSError) or _is_ours(type(e)):
        return _text(e)
    return f"{type(e).__name__}: {_text(e)} (unexpected; {_SHOWN}=1 shows where)"


def _text(e: Exception) -> str:
    return str(e).strip() or type(e).__name__


def _is_ours(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in ("experiments", "chipsweep")


def _tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _on_signals(handler: Callable[[int, FrameType | None], Any]) -> None:
    """Those that were ignored when the process began, as under nohup, stay so."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    del frame
    _on_signals(_leave)
    raise _Stopped(number)


def _leave(number: int, frame: FrameType | None) -> None:
    del frame
    os.write(2, b"stopped; nothing is half written\n")
    os._exit(128 + number)


def _flush_stdout() -> None:
    """What cannot be written any more is told once, and not again at the exit."""
    try:
        sys.stdout.flush()
    except OSError:
        _silence_stdout()


def _silence_stdout() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
