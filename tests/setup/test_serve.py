"""The web server: started as the product starts it, answering and stopping."""

import http.client
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress

import packages


def test_the_web_server_answers_and_stops_when_asked():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(packages.ROOT / "manage.py"), "serve", "--workers", "1"]
    server = subprocess.Popen([*command, "--port", str(port)])
    try:
        assert status(port, "/login") == 200
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0


def status(port: int, path: str) -> int:
    for _ in range(150):
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        with suppress(OSError), closing(line):
            line.request("GET", path)
            with line.getresponse() as answer:
                return answer.status
        time.sleep(0.1)
    return 0
