"""A real browser: Debian's Chromium, spoken to through its driver in plain HTTP."""

import base64
import contextlib
import io
import json
import re
import shutil
import subprocess
import urllib.request
from typing import NamedTuple

import numpy as np
from matplotlib.image import imread

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SEEN = """return [
    document.documentElement.scrollWidth - document.documentElement.clientWidth,
    [...document.images].every(i => i.complete && i.naturalWidth > 0)]"""


class Sight(NamedTuple):
    """Pixels, what sticks out sideways (px), all images there, console messages."""

    pixels: np.ndarray
    overflow: int
    images: bool
    console: list[str]


@contextlib.contextmanager
def browser(profile):
    """`see(url, width, scheme) -> Sight`; `profile` is a folder of its own."""
    with _driver() as port, _session(port, profile) as ask:

        def see(url, width, scheme):
            size = {"width": width, "height": 900, "deviceScaleFactor": 1}
            _tell(ask, "setDeviceMetricsOverride", mobile=width < 600, **size)
            media = {"name": "prefers-color-scheme", "value": scheme}
            _tell(ask, "setEmulatedMedia", features=[media])
            ask("POST", "/url", {"url": url})
            seen = ask("POST", "/execute/sync", {"script": SEEN, "args": []})
            pixels = imread(io.BytesIO(base64.b64decode(ask("GET", "/screenshot"))))
            said = ask("POST", "/se/log", {"type": "browser"})
            return Sight(pixels, *seen, [entry["message"] for entry in said])

        yield see


@contextlib.contextmanager
def _driver():
    command, pipe = [DRIVER, "--port=0"], subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, text=True) as process:
        try:
            lines = iter(process.stdout.readline, "")
            found = (re.search(r"successfully on port (\d+)", line) for line in lines)
            yield next(int(match[1]) for match in found if match)
        finally:
            process.terminate()


@contextlib.contextmanager
def _session(port, profile):
    options = {"args": [*FLAGS, f"--user-data-dir={profile}"], "binary": CHROMIUM}
    wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
    root = f"http://127.0.0.1:{port}/session"
    made = _ask("POST", root, {"capabilities": {"alwaysMatch": wanted}})
    here = f"{root}/{made['sessionId']}"
    try:
        yield lambda method, path, body=None: _ask(method, here + path, body)
    finally:
        _ask("DELETE", here)


def _tell(ask, command, **params):
    told = {"cmd": f"Emulation.{command}", "params": params}
    ask("POST", "/goog/cdp/execute", told)


def _ask(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data, kind, method=method)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=240) as answer:
        return json.load(answer)["value"]
