"""Secrets of channels: encrypted under a key that lies outside the database, read only to send.

AES-GCM with a key derived from the installation's secret, bound to the channel it belongs to: a
copied row is of no use to another channel, a copied database of no use without the data folder.
"""

from __future__ import annotations

import json
import os
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils import timezone

from fangyuan.integration.models import Channel, Sealed

NONCE: Final = 12  # bytes, as AES-GCM wants it


class Unreadable(Exception):
    """The secrets were sealed under another key and have to be entered again."""


def _cipher() -> AESGCM:
    derive = HKDF(SHA256(), length=32, salt=None, info=b"fangyuan.channel")
    return AESGCM(derive.derive(settings.SECRET_KEY.encode()))


def _bound(channel: Channel) -> bytes:
    return f"channel:{channel.pk}".encode()


def keep(channel: Channel, secrets: dict[str, str]) -> None:
    """Keep these secrets beside those the channel has; an empty text leaves the old one."""
    try:
        known = read(channel)
    except Unreadable:
        known = {}
    known |= {name: one for name, one in secrets.items() if one}
    nonce = os.urandom(NONCE)
    content = nonce + _cipher().encrypt(nonce, json.dumps(known).encode(), _bound(channel))
    Sealed.objects.update_or_create(
        channel=channel, defaults={"content": content, "sealed_at": timezone.now()}
    )


def read(channel: Channel) -> dict[str, str]:
    """The secrets of a channel by name; raises Unreadable."""
    sealed = Sealed.objects.filter(channel=channel).first()
    if sealed is None:
        return {}
    content = bytes(sealed.content)
    try:
        plain = _cipher().decrypt(content[:NONCE], content[NONCE:], _bound(channel))
    except InvalidTag as wrong:
        said = "密钥读不出来（数据文件夹里的 secret 换过），请重新填写"
        raise Unreadable(said) from wrong
    found: dict[str, Any] = json.loads(plain)
    return {name: str(one) for name, one in found.items()}


def scrub(text: str, secrets: dict[str, str]) -> str:
    """The text without any of the secrets, should the other side repeat them."""
    for one in sorted(secrets.values(), key=len, reverse=True):
        if len(one) >= 4:
            text = text.replace(one, "…")
    return text


def names(channel: Channel) -> frozenset[str]:
    """Which secrets a channel has; none that cannot be read."""
    try:
        return frozenset(read(channel))
    except Unreadable:
        return frozenset()
