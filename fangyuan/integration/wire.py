"""Calls to the outside: only to public addresses, to the address that was looked at, and briefly.

A name is resolved once, every address it has is judged, and the connection goes to one of those
judged; a redirect is an answer like another and is never followed. Hosts of one's own network
are called only if whoever runs the server listed them in `FY_PRIVATE_HOSTS`.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

CONNECT: Final = 5.0  # seconds
WHOLE: Final = 12.0  # seconds for a call from beginning to end
MOST_READ: Final = 64 * 1024  # bytes of an answer
MOST_SENT: Final = 256 * 1024  # bytes of a request
LONGEST_URL: Final = 2000
NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class Forbidden(Exception):
    """The address may not be called; the message says why and what to do."""


class Unreachable(Exception):
    """The other side did not answer; worth another try."""


@dataclass(frozen=True)
class Reply:
    """What the other side answered."""

    status: int
    body: bytes
    retry_after: str = ""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def look(url: str) -> SplitResult:
    """Read the address of a call; raises Forbidden if it is none that may be called."""
    if len(url) > LONGEST_URL or any(ord(char) <= 32 or ord(char) == 127 for char in url):
        raise Forbidden("地址太长，或含有空格、换行等字符")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as wrong:
        raise Forbidden("地址看不懂，应写成 https://主机/路径") from wrong
    host = parts.hostname or ""
    if not host or parts.username is not None or parts.password is not None:
        raise Forbidden("地址应写成 https://主机/路径，不带用户名和密码")
    is_own = is_listed(host, port or 443)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_own):
        raise Forbidden("只能发往 https:// 的地址")
    if not is_own and host.rstrip(".") in _own_names():
        raise Forbidden("不能发回本系统")
    return parts


def _own_names() -> set[str]:
    return {name.strip("[].").lower() for name in settings.ALLOWED_HOSTS}


def is_listed(host: str, port: int) -> bool:
    """Whether whoever runs the server allowed this host of their own network."""
    return bool({host.lower(), f"{host.lower()}:{port}"} & set(settings.PRIVATE_HOSTS))


def is_public(text: str) -> bool:
    """Whether an address belongs to the open internet, whatever form it hides in."""
    address: Any = ipaddress.ip_address(text.split("%")[0])
    if address.version == 6:
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in NAT64:
            inner = ipaddress.ip_address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if int(address) >> 32 == 0:  # ::a.b.c.d, the old way to hide an IPv4 address
            return False
    special = address.is_multicast or address.is_reserved or address.is_unspecified
    return bool(address.is_global) and not special


def resolve(host: str, port: int) -> str:
    """The one address to connect to; raises Forbidden if any that the name has is not public."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as wrong:
        raise Unreachable(f"找不到主机 {host}") from wrong
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    if not addresses:
        raise Unreachable(f"找不到主机 {host}")
    if not is_listed(host, port) and not all(is_public(one) for one in addresses):
        raise Forbidden(
            f"{host} 指向内网或本机，不能发往那里；确需发往，请把它写进 FY_PRIVATE_HOSTS"
        )
    return addresses[0]


def dial(host: str, port: int) -> socket.socket:
    """A connection to the judged address of a host."""
    address = resolve(host, port)
    try:
        return socket.create_connection((address, port), timeout=CONNECT)
    except OSError as wrong:
        raise Unreachable(f"连不上 {host}:{port}，{_why(wrong)}") from wrong


def _why(wrong: OSError) -> str:
    if isinstance(wrong, ssl.SSLCertVerificationError):
        return f"证书不对：{wrong.verify_message}"
    if isinstance(wrong, TimeoutError):
        return "等不到回应"
    return "对方拒绝连接" if isinstance(wrong, ConnectionRefusedError) else "网络不通"


@contextmanager
def within(links: list[Any]) -> Iterator[None]:
    """Cut the last of these connections when its time is over, however slowly it drips.

    Raises Unreachable then: what was read of the answer is no answer.
    """
    is_over = threading.Event()

    def cut() -> None:
        is_over.set()
        with suppress(OSError):
            links[-1].shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(WHOLE, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
        if is_over.is_set():
            raise Unreachable("对方答复得太慢")
    finally:
        timer.cancel()
        links[-1].close()


class _Pinned(http.client.HTTPConnection):
    """A connection that was made already, to an address that was judged."""

    def __init__(self, host: str, port: int, link: socket.socket) -> None:
        super().__init__(host, port)
        self.sock = link

    def connect(self) -> None:
        raise Unreachable("连接断了")


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
    """Send a body to an address; raises Forbidden or Unreachable, without the address in it."""
    parts = look(url)
    if len(body) > MOST_SENT:
        raise Forbidden("要发的内容太长")
    host = parts.hostname or ""
    is_safe = parts.scheme == "https"
    port = parts.port or (443 if is_safe else 80)
    links: list[Any] = [dial(host, port)]
    try:
        with within(links):
            if is_safe:
                links.append(secured(links[0], host))
            reply = _talk(_Pinned(host, port, links[-1]), parts, body, headers)
    except (OSError, http.client.HTTPException) as wrong:
        said = _why(wrong) if isinstance(wrong, OSError) else "回应看不懂"
        raise Unreachable(f"{host} 没有答复：{said}") from None
    return reply


def secured(link: socket.socket, host: str) -> ssl.SSLSocket:
    """The same connection, encrypted, with the certificate of the host checked."""
    return ssl.create_default_context().wrap_socket(link, server_hostname=host)


def _talk(line: _Pinned, parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> Reply:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    line.request("POST", target, body=body, headers={**headers, "Connection": "close"})
    answer = line.getresponse()
    try:
        return Reply(answer.status, _read(answer), answer.headers.get("Retry-After", ""))
    finally:
        answer.close()


def _read(answer: http.client.HTTPResponse) -> bytes:
    """The beginning of an answer, as much as is wanted and comes in time."""
    ends = time.monotonic() + WHOLE
    found = b""
    while len(found) < MOST_READ and time.monotonic() < ends:
        part = answer.read1(MOST_READ - len(found))
        if not part:
            break
        found += part
    return found
