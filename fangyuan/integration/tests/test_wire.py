"""No call goes anywhere but to a public address that was looked at, and none lasts long."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from fangyuan.integration import wire

HIDDEN = [
    "127.0.0.1", "10.1.2.3", "172.16.0.9", "192.168.1.1", "169.254.169.254", "0.0.0.0",
    "100.64.0.1", "224.0.0.1", "255.255.255.255", "198.18.0.1", "::", "::1", "::127.0.0.1",
    "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:c0a8:101::", "2001:db8::1",
    "2001:0:0:0:0:0:80ff:fffe",
]  # fmt: skip


@pytest.mark.parametrize("address", HIDDEN)
def test_an_address_that_is_not_of_the_open_internet_is_known_in_every_form(address):
    assert not wire.is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "39.156.66.10", "2400:3200::1", "64:ff9b::1.1.1.1"])
def test_public_addresses_are_public(address):
    assert wire.is_public(address)


# Written as a host these are all this machine, or its network: the resolver reads them as numbers.
FORMS = [
    "127.1", "0177.0.0.1", "2130706433", "0x7f.1", "0", "localhost", "[::1]", "[::ffff:a9fe:a9fe]",
    "169.254.169.254", "[64:ff9b::7f00:1]", "10.0.0.8",
]  # fmt: skip


@pytest.mark.parametrize("host", FORMS)
def test_no_form_of_a_private_address_is_called(host, settings):
    settings.PRIVATE_HOSTS = []
    with pytest.raises((wire.Forbidden, wire.Unreachable)) as refused:
        wire.post(f"https://{host}/hook", b"{}", {})
    assert refused.type is wire.Forbidden or "找不到主机" in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "file:///etc/passwd", "gopher://example.com/", "ftp://example.com/",
        "https://user:pw@example.com/", "https:///path", "https://exa mple.com/",
        "https://example.com/\r\nHost: evil", "https://example.com:99999/", "example.com",
        "https://testserver/hook", "https://" + "a" * 2000 + ".com/",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_before_anybody_is_called(url):
    with pytest.raises(wire.Forbidden):
        wire.look(url)


def test_a_name_that_has_one_private_address_is_refused_as_a_whole(monkeypatch):
    found = [(2, 1, 6, "", ("1.1.1.1", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(wire.Forbidden):
        wire.resolve("two.example", 443)


def test_the_connection_goes_to_the_address_that_was_judged(monkeypatch, other):
    """A name that changes its address between the look and the call is called at the first."""
    port = int(other.base.rpartition(":")[2])
    answers = iter(["127.0.0.1"])
    looked = []

    def rebinding(host, port, **_):
        looked.append(host)
        return [(2, 1, 6, "", (next(answers), port))]

    monkeypatch.setattr(wire, "is_listed", lambda host, _: host == "rebind.example")
    monkeypatch.setattr(socket, "getaddrinfo", _only_names(rebinding))
    other.answer(200, b"here")
    assert wire.post(f"http://rebind.example:{port}/x", b"{}", {}).body == b"here"
    assert looked == ["rebind.example"], "looked up once"


def _only_names(rebinding):
    real = socket.getaddrinfo

    def look(host, port, *rest, **more):
        return (
            rebinding(host, port) if host == "rebind.example" else real(host, port, *rest, **more)
        )

    return look


def test_a_private_host_is_called_only_with_the_port_that_was_listed(settings):
    settings.PRIVATE_HOSTS = ["127.0.0.1:2525"]
    assert wire.resolve("127.0.0.1", 2525) == "127.0.0.1"
    with pytest.raises(wire.Forbidden):
        wire.resolve("127.0.0.1", 2526)


def test_a_large_answer_is_read_in_part(other):
    other.answer(200, b"x" * 500_000)
    assert len(wire.post(f"{other.base}/hook", b"{}", {}).body) == wire.MOST_READ


@pytest.mark.parametrize("beginning", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_an_endless_answer_is_cut_and_is_no_answer(monkeypatch, beginning):
    monkeypatch.setattr(wire, "WHOLE", 0.3)
    monkeypatch.setattr(wire, "is_listed", lambda *_: True)
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()
    thread = threading.Thread(target=_drip, args=(listener, stop, beginning))
    thread.start()
    began = time.monotonic()
    try:
        with pytest.raises(wire.Unreachable):
            wire.post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"{}", {})
    finally:
        stop.set()
        thread.join()
        listener.close()
    assert time.monotonic() - began < 3


def _drip(listener, stop, beginning):
    """Send for ever, a byte at a time: no single wait is long."""
    link, _ = listener.accept()
    with link:
        link.sendall(beginning)
        while not stop.wait(0.05):
            try:
                link.sendall(b"x")
            except OSError:
                return
