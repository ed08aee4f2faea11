"""A Chromium without a window, driven over its debugging protocol, which it serves on loopback alone."""

from __future__ import annotations

import base64
import io
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from PIL import Image
from websockets.sync.client import connect

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
#: Where it writes its port and path, in the folder of its profile.
_LISTENS = "DevToolsActivePort"
_START_S, _ANSWER_S = 30.0, 60.0


def find_program() -> str | None:
    """The first Chromium of PATH, None for none."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class Browser:
    """Context manager of one browser with one page; `RuntimeError` where it does not do what it is asked to."""

    def __init__(self, program: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="screenshots-", ignore_cleanup_errors=True)
        # as root, which containers are, it refuses to run in its sandbox
        rooted = ("--no-sandbox",) if os.geteuid() == 0 else ()
        self._process = subprocess.Popen(
            [program, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={self._folder.name}",
             "--hide-scrollbars", "--no-first-run", *rooted, "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self._socket = connect(self._address(), max_size=None)
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        found = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})
        self._session: str | None = found["sessionId"]
        self.call("Page.enable")
        self.call("Network.enable")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(Exception):
            self._socket.close()
        self._process.terminate()
        self._process.wait(timeout=30)
        self._folder.cleanup()

    def sign_in(self, user: str, password: str) -> None:
        """Answer from here on whoever asks for a password, with headers and with what Prefect's page remembers."""
        word = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.call("Network.setExtraHTTPHeaders", {"headers": {"Authorization": f"Basic {word}"}})
        remember = f"localStorage.setItem('prefect-password', {json.dumps(word)})"
        self.call("Page.addScriptToEvaluateOnNewDocument", {"source": f"try {{ {remember} }} catch {{ }}"})

    def look(self, url: str, text: str, *, width: int = 1400, height: int = 900, dark: bool = False) -> None:
        """Open `url` and wait until `text` is on the page; sizes in CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", {"features": [scheme]})
        self.call("Page.navigate", {"url": url})
        until = time.monotonic() + _ANSWER_S
        while not self.run(f"(document.body?.innerText ?? '').includes({json.dumps(text)})"):
            if time.monotonic() > until:
                raise RuntimeError(f"{url}: {text!r} did not appear within {_ANSWER_S:.0f} s")
            time.sleep(0.5)
        time.sleep(1.5)  # what fades in

    def run(self, script: str) -> Any:
        """The value of an expression on the page."""
        return self.call("Runtime.evaluate", {"expression": script})["result"].get("value")

    def click(self, selector: str) -> None:
        """Click what a selector of CSS finds first, if anything, and wait for what moves."""
        self.run(f"document.querySelector({json.dumps(selector)})?.click()")
        time.sleep(1.0)

    def save(self, out: Path, *, whole: bool = False, most_bytes: int = 200_000) -> None:
        """Write what is seen, or all of the page, as a PNG of at most `most_bytes`, with fewer colours if need be."""
        wanted = {"format": "png", "captureBeyondViewport": whole}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            wanted["clip"] = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        content = base64.b64decode(self.call("Page.captureScreenshot", wanted)["data"])
        picture = Image.open(io.BytesIO(content)).convert("RGB")
        for colours in (256, 128, 64, 32, 16):
            if len(content) <= most_bytes:
                break
            small = io.BytesIO()
            picture.quantize(colours, dither=Image.Dither.NONE).save(small, format="PNG", optimize=True)
            content = small.getvalue()
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(content)

    def call(self, method: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        """One command of the protocol on the page, and its result."""
        return self._call(method, arguments or {}, self._session)

    def _call(self, method: str, arguments: dict[str, Any], session: str | None = None) -> dict[str, Any]:
        number = next(self._numbers)
        asked = {"id": number, "method": method, "params": arguments}
        self._socket.send(json.dumps(asked | ({} if session is None else {"sessionId": session})))
        while True:
            answer = json.loads(self._socket.recv(timeout=_ANSWER_S))
            if answer.get("id") == number:  # all else are events
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result

    def _address(self) -> str:
        """Where it listens."""
        until = time.monotonic() + _START_S
        while time.monotonic() < until and self._process.poll() is None:
            with suppress(OSError, ValueError):
                port, path = Path(self._folder.name, _LISTENS).read_text().split()
                return f"ws://127.0.0.1:{port}{path}"
            time.sleep(0.1)
        self._process.terminate()
        raise RuntimeError(f"{self._process.args[0]} did not start")
