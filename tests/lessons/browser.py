"""A headless Chromium, driven over its debugging pipe: no package and no open port is needed."""

import fcntl
import itertools
import json
import os
import shutil
import subprocess

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
                None)
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync",
           "--hide-scrollbars", "--remote-debugging-pipe"]
COMPLAINTS = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled",
              "Network.loadingFailed")


class Browser:
    """One page of a browser: open a file, ask it things, hear what it complains of."""

    def __init__(self, profile):
        read, self._write = os.pipe()
        self._read, write = os.pipe()
        # Out of the way of 3 and 4, which the ends of the pipe must be in the browser.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (read, write)]
        self._process = subprocess.Popen(
            [CHROMIUM, *OPTIONS, f"--user-data-dir={profile}", "about:blank"], pass_fds=(3, 4),
            preexec_fn=lambda: [os.dup2(end, place) for place, end in enumerate(ends, 3)],
            stderr=subprocess.DEVNULL)
        for end in (read, write, *ends):
            os.close(end)
        self._numbers, self._rest, self.events, self._session = itertools.count(1), b"", [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._session = None
        self.call("Browser.close")
        self._process.wait(30)
        os.close(self._read)
        os.close(self._write)

    def call(self, method, **params):
        """Send a command and return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _next(self):
        while b"\0" not in self._rest:
            chunk = os.read(self._read, 1 << 16)
            assert chunk, "the browser has ended"
            self._rest += chunk
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)

    def open(self, path, width=1280, height=900):
        """Open a file at a width, in pixels, and wait until it has loaded."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)
        self.events.clear()
        self.call("Page.navigate", url=path if "://" in str(path) else f"file://{path}")
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self._next())

    def ask(self, script):
        """Return the value of a JavaScript expression; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True,
                           awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def complaints(self):
        """Return what the console said since the page was opened, but for harmless notes."""
        return [e for e in self.events if e.get("method") in COMPLAINTS and _bad(e["params"])]

    def screenshot(self):
        """Return the window as the bytes of a PNG."""
        import base64

        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])


def _bad(params):
    level = params.get("entry", {}).get("level") or params.get("type") or "error"
    return level not in ("log", "info", "debug", "verbose")
