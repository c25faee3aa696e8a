"""Group robots of 企业微信, 钉钉 and 飞书, by their published protocols.

Each takes at most twenty messages a minute and answers 200 with a code of its own; text is sent
as plain text, so that nothing in a customer's name is read as markup or calls everybody.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote_plus, urlsplit

from fangyuan.integration import parcels, wire
from fangyuan.integration.parcels import Answer, Parcel, Send

A_MINUTE: Final = 20  # messages that a robot may send
LONGEST: Final = {"WECOM": 2048, "DINGTALK": 15000, "LARK": 15000}  # bytes of text
HOSTS: Final = {
    "WECOM": ("qyapi.weixin.qq.com",),
    "DINGTALK": ("oapi.dingtalk.com",),
    "LARK": ("open.feishu.cn", "open.larksuite.com"),
}
BUSY: Final = timedelta(minutes=1)
PUNISHED: Final = timedelta(minutes=10)  # 钉钉 holds a robot back so long

# Codes that pass by themselves: code → how long to hold the robot.
PASSING: Final[dict[str, dict[int, timedelta]]] = {
    "WECOM": {-1: BUSY, 45009: BUSY, 45033: BUSY},
    "DINGTALK": {-1: BUSY, 130101: PUNISHED, 410100: PUNISHED, 90030: PUNISHED},
    "LARK": {9499: BUSY, 11232: BUSY, 11233: BUSY, 18: BUSY},
}
# Codes that want somebody to put the settings right: until then everything waits.
SETTINGS: Final[dict[str, dict[int, str]]] = {
    "WECOM": {93000: "地址里的 key 不对，请到群机器人资料里重新复制"},
    "DINGTALK": {
        310000: "加签、关键词或 IP 与机器人的安全设置不符",
        300001: "地址里的 access_token 不对",
        400101: "地址里的 access_token 不对",
        400102: "机器人已停用",
        400013: "群已解散",
        400106: "机器人不存在",
    },
    "LARK": {
        19001: "地址里的令牌不对，请到群机器人设置里重新复制",
        19021: "签名不对，或服务器的时钟差了一小时以上",
        19022: "本服务器的 IP 不在机器人的白名单里",
        19024: "内容里没有机器人设置的关键词",
    },
}
# Codes about the one message: it is given up.
CONTENT: Final[dict[str, dict[int, str]]] = {
    "WECOM": {40008: "消息类型不对", 40058: "参数不对", 45002: "内容太长"},
    "DINGTALK": {430101: "内容里有不许发的链接", 430102: "内容里有不许发的文字"},
    "LARK": {19002: "参数不对"},
}


@dataclass(frozen=True)
class Call:
    """What is sent to a robot: where, and what."""

    url: str
    body: Mapping[str, Any]


def right_host(kind: str, url: str) -> str:
    """The host of a robot's address; raises Forbidden if it is not the platform's or listed."""
    parts = wire.look(url)
    host = parts.hostname or ""
    if host not in HOSTS[kind] and not wire.is_listed(host, parts.port or 443):
        raise wire.Forbidden(f"这不是机器人的地址，应以 https://{HOSTS[kind][0]}/ 开头")
    return host


@contextmanager
def open_way(channel: Any, secrets: dict[str, str]) -> Iterator[Send]:
    """A sender; every call is a connection of its own."""
    yield lambda parcel: _send(channel, secrets, parcel)


def _send(channel: Any, secrets: dict[str, str], parcel: Parcel) -> Answer:
    url = secrets.get("url", "")
    right_host(channel.kind, url)
    text = cut(said(channel, parcel), LONGEST[channel.kind])
    call = CALLS[channel.kind](url, secrets.get("secret", ""), text, parcel)
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Fangyuan"}
    body = json.dumps(call.body, ensure_ascii=False).encode()
    return judge(channel.kind, wire.post(call.url, body, headers))


def said(channel: Any, parcel: Parcel) -> str:
    """The text for the group: who is meant, then what it is."""
    lines = parcel.lines(is_full=channel.is_full)
    return "\n".join([f"{parcel.name}：{lines[0]}" if channel.is_full else lines[0], *lines[1:]])


def cut(text: str, most: int) -> str:
    """The text within so many bytes, never ending within a character."""
    whole = text.encode()
    return text if len(whole) <= most else whole[: most - 3].decode("utf-8", "ignore") + "…"


def _wecom(url: str, secret: str, text: str, parcel: Parcel) -> Call:
    named = {"mentioned_mobile_list": [parcel.phone]} if parcel.phone else {}
    return Call(url, {"msgtype": "text", "text": {"content": text, **named}})


def _dingtalk(url: str, secret: str, text: str, parcel: Parcel) -> Call:
    if secret:
        stamp = str(int(time.time() * 1000))
        signed = _hmac(secret, f"{stamp}\n{secret}")
        url += f"{'&' if urlsplit(url).query else '?'}timestamp={stamp}&sign={quote_plus(signed)}"
    at = {"atMobiles": [parcel.phone] if parcel.phone else [], "isAtAll": False}
    return Call(url, {"msgtype": "text", "text": {"content": text}, "at": at})


def _lark(url: str, secret: str, text: str, parcel: Parcel) -> Call:
    # Text is searched for <at …> there: a name must not call the whole group.
    body: dict[str, Any] = {"msg_type": "text", "content": {"text": text.replace("<", "＜")}}
    if secret:
        stamp = str(int(time.time()))
        body |= {"timestamp": stamp, "sign": _hmac(f"{stamp}\n{secret}", "")}
    return Call(url, body)


CALLS: Final = {"WECOM": _wecom, "DINGTALK": _dingtalk, "LARK": _lark}


def _hmac(key: str, message: str) -> str:
    made = hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()
    return base64.b64encode(made).decode()


def judge(kind: str, reply: wire.Reply) -> Answer:
    """Understand the code in the answer: 0 is delivered; what passes or can be put right waits."""
    if reply.status == 429 or reply.status >= 500:
        return Answer("LATER", f"HTTP {reply.status} {reply.text}", hold=BUSY)
    code = _code(reply.body)
    if code is None:
        said = f"HTTP {reply.status} {reply.text}（这不是机器人的答复）"
        return Answer("LATER", said, hold=parcels.UNTIL_PUT_RIGHT)
    if code == 0 and reply.status == 200:
        return Answer("DELIVERED", reply.text)
    if (hold := PASSING[kind].get(code)) is not None:
        return Answer("LATER", f"{reply.text}（发得太快或对方正忙）", hold=hold)
    if (meaning := SETTINGS[kind].get(code)) is not None:
        return Answer("LATER", f"{reply.text}（{meaning}）", hold=parcels.UNTIL_PUT_RIGHT)
    meaning = CONTENT[kind].get(code, "请按这个编号查对方的说明")
    return Answer("REFUSED", f"{reply.text}（{meaning}）")


def _code(body: bytes) -> int | None:
    """The code of an answer; the platforms call it differently."""
    try:
        found = json.loads(body)
        return next(int(found[name]) for name in ("errcode", "code", "StatusCode") if name in found)
    except (ValueError, TypeError, StopIteration):
        return None
