"""The other side, as its documentation has it: robots, a webhook receiver and a mail server.

Recorded answers: each platform's success, its error codes and its rate limit. Signatures are
verified here by a calculation of this file's own, not by the product's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import socketserver
import threading
import time
from collections import deque
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

WECOM_KEY, DING_TOKEN, LARK_TOKEN = "693a91f6-7xxx", "dingtoken0001", "larktoken0001"
DING_SECRET, LARK_SECRET, HOOK_SECRET = "SECding", "larksecret", "fysec_hook"
HOUR = 3600


class Platform:
    """What all requests share: what came, how to answer, and the minute's count."""

    def __init__(self):
        self.got, self.scripted, self.minute = [], deque(), deque()
        self.limit = 20

    def answer(self, status, body, **headers):
        """Answer the next request like this instead."""
        self.scripted.append((status, body, headers))

    def is_over_limit(self):
        now = time.monotonic()
        while self.minute and now - self.minute[0] > 60:
            self.minute.popleft()
        self.minute.append(now)
        return len(self.minute) > self.limit


class Handler(BaseHTTPRequestHandler):
    """One request to any of the platforms."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        platform, parts = self.server.platform, urlsplit(self.path)
        platform.got.append((self.path, dict(self.headers), body))
        if platform.scripted:
            status, said, headers = platform.scripted.popleft()
            return self.reply(status, said, headers)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        ways = {
            "/cgi-bin/webhook/send": wecom,
            "/robot/send": dingtalk,
            f"/open-apis/bot/v2/hook/{LARK_TOKEN}": lark,
            "/hook": hook,
        }
        way = ways.get(parts.path)
        if way is None:
            wrong = {"code": 19001, "msg": "param invalid: incoming webhook access token invalid"}
            return self.reply(200, wrong, {})
        status, said = way(platform, query, self.headers, body)
        return self.reply(status, said, {})

    def reply(self, status, said, headers):
        content = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        return


def wecom(platform, query, headers, body):
    if query.get("key") != WECOM_KEY:
        return 200, {"errcode": 93000, "errmsg": "invalid webhook url, hint: [1700000000]"}
    if platform.is_over_limit():
        return 200, {"errcode": 45009, "errmsg": "api freq out of limit"}
    said = json.loads(body)
    if said.get("msgtype") not in ("text", "markdown"):
        return 200, {"errcode": 40008, "errmsg": "invalid message type"}
    if len(said[said["msgtype"]]["content"].encode()) > 2048:
        return 200, {"errcode": 40058, "errmsg": "content exceed max length 2048"}
    return 200, {"errcode": 0, "errmsg": "ok"}


def dingtalk(platform, query, headers, body):
    if query.get("access_token") != DING_TOKEN:
        return 200, {"errcode": 300001, "errmsg": "token is not exist"}
    stamp = query.get("timestamp", "")
    text = f"{stamp}\n{DING_SECRET}".encode()
    wanted = base64.b64encode(hmac.digest(DING_SECRET.encode(), text, "sha256")).decode()
    is_late = not stamp.isdigit() or abs(int(stamp) / 1000 - time.time()) > HOUR
    if is_late or query.get("sign") != wanted:
        return 200, {"errcode": 310000, "errmsg": "description:机器人发送签名不匹配"}
    if platform.is_over_limit():
        said = "send too fast, exceed 20 times per minute"
        return 200, {"errcode": 130101, "errmsg": said}
    return 200, {"errcode": 0, "errmsg": "ok"}


def lark(platform, query, headers, body):
    said = json.loads(body)
    key = f"{said.get('timestamp')}\n{LARK_SECRET}".encode()
    wanted = base64.b64encode(hmac.digest(key, b"", "sha256")).decode()
    is_late = abs(int(said.get("timestamp") or 0) - time.time()) > HOUR
    if is_late or said.get("sign") != wanted:
        wrong = "sign match fail or timestamp is not within one hour from current time"
        return 200, {"code": 19021, "msg": wrong}
    if platform.is_over_limit():
        return 200, {"code": 11232, "msg": "create message trigger frequency limit"}
    return 200, {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "ok"}


def hook(platform, query, headers, body):
    signed = f"{headers['Fy-Timestamp']}.".encode() + body
    wanted = "v1=" + hmac.new(HOOK_SECRET.encode(), signed, hashlib.sha256).hexdigest()
    is_late = abs(int(headers["Fy-Timestamp"]) - time.time()) > 300
    if is_late or not hmac.compare_digest(headers["Fy-Signature"], wanted):
        return 401, {"error": "signature"}
    return 202, {"taken": json.loads(body)["id"]}


class MailHandler(socketserver.StreamRequestHandler):
    """One conversation with the mail server."""

    def handle(self):
        post, self.timeout = self.server.post, 5
        self.say("220 mail.test ESMTP")
        while line := self.rfile.readline():
            word = line.decode("utf-8").strip()
            verb = word.split(" ")[0].upper()
            if verb == "DATA":
                self.say(post.next("DATA", "354 go on"))
                post.letters.append(self.letter())
                self.say(post.next("END", "250 2.0.0 Ok: queued as 4F9D195432D"))
            elif verb == "QUIT":
                return self.say("221 bye")
            elif verb == "AUTH":
                given = base64.b64decode(word.split(" ")[-1]).split(b"\0")
                right = given[1:] == [b"robot", b"geheim"]
                self.say("235 ok" if right else "535 5.7.8 authentication failed")
            elif verb == "EHLO":
                self.say("250-mail.test\r\n250 AUTH PLAIN")
            else:
                self.say(post.next(verb, "250 ok"))
        return None

    def letter(self):
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        return b"".join(lines)

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


class Post:
    """The letters that came, and answers to give instead of the usual ones."""

    def __init__(self):
        self.letters, self.scripted = [], {}

    def next(self, verb, usual):
        return self.scripted.pop(verb, usual)


@contextmanager
def serving(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Platforms(ThreadingHTTPServer):
    """Takes as many connections at once as come."""

    request_queue_size, daemon_threads = 128, True


class PostOffice(socketserver.ThreadingTCPServer):
    """The same for mail."""

    request_queue_size, daemon_threads = 128, True


@contextmanager
def platforms():
    """A server of all platforms on this machine: (port, what it saw)."""
    server = Platforms(("127.0.0.1", 0), Handler)
    server.platform = Platform()
    with serving(server) as port:
        yield port, server.platform


@contextmanager
def post_office():
    """A mail server on this machine: (port, its letters)."""
    server = PostOffice(("127.0.0.1", 0), MailHandler)
    server.post = Post()
    with serving(server) as port:
        yield port, server.post


ADDRESS = re.compile(r"https?://[^\s]+")
