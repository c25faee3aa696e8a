"""Clients that ask pages as a browser does: one at a time for latency, eight for throughput."""

from __future__ import annotations

import http.client
import json
import re
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

FORM = "application/x-www-form-urlencoded"


@dataclass
class Client:
    """One signed-in session on one kept-alive connection."""

    port: int
    login: str
    password: str
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        page = self.get("/login")[1]
        token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        status, _ = self.post(
            "/login",
            {
                "login": self.login,
                "password": self.password,
                "csrfmiddlewaretoken": token.group(1).decode() if token else "",
            },
        )
        if status != 302:
            raise RuntimeError(f"sign-in of {self.login} failed: {status}")

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask one page."""
        return self._send("GET", path, None)

    def part(self, path: str, target: str) -> tuple[int, bytes]:
        """Ask the part of a page that goes into this element, as the page's script does."""
        return self._send("GET", path, None, **{"HX-Request": "true", "HX-Target": target})

    def post(self, path: str, fields: dict[str, str], **more: str) -> tuple[int, bytes]:
        """Send one form; `more` are further headers."""
        return self._send("POST", path, urlencode(fields), **more)

    def tell(self, path: str, said: dict[str, Any]) -> tuple[int, bytes]:
        """Send one JSON document to the API."""
        return self._send("POST", path, json.dumps(said), "application/json")

    def _send(
        self, method: str, path: str, body: str | None, kind: str = FORM, **more: str
    ) -> tuple[int, bytes]:
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()), **more}
        if body is not None:
            headers["Content-Type"] = kind
            headers["X-CSRFToken"] = self.cookies.get("csrftoken", "")
        asked = (method, quote(path, safe="/?&=%-_.~:"), body, headers)
        self.line.request(*asked)
        try:
            answer = self.line.getresponse()
        except http.client.RemoteDisconnected:  # it was idle for too long
            self.line.request(*asked)
            answer = self.line.getresponse()
        content = answer.read()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, value = line.split(";", 1)[0].split("=", 1)
            self.cookies[name] = value
        return answer.status, content


def latency(
    client: Client, paths: Sequence[str], rounds: int = 30
) -> dict[str, tuple[float, float]]:
    """Median and 95th percentile in milliseconds of each page, one client."""
    found = {}
    for path in paths:
        client.get(path)
        taken = []
        for _ in range(rounds):
            begun = time.perf_counter()
            status, _ = client.get(path)
            taken.append(1000 * (time.perf_counter() - begun))
            if status != 200:
                raise RuntimeError(f"{path}: {status}")
        found[path] = (statistics.median(taken), statistics.quantiles(taken, n=20)[18])
    return found


def throughput(
    clients: Sequence[Client], ask: Callable[[Client, int], int], seconds: float
) -> tuple[float, int]:
    """Answers a second by all clients together, and how many went wrong."""
    counts, wrong = [0] * len(clients), [0] * len(clients)
    until = time.perf_counter() + seconds

    def work(place: int) -> None:
        number = place
        while time.perf_counter() < until:
            status = ask(clients[place], number)
            number += len(clients)
            counts[place] += 1
            wrong[place] += status not in (200, 201, 204, 302)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(clients))]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - begun), sum(wrong)
