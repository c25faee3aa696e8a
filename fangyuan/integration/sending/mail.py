"""Mail by SMTP: one connection for a batch, a Message-ID that stays the same over all tries."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as FOLDED
from email.utils import format_datetime
from typing import Any, Final

from django.utils import timezone

from fangyuan.integration import wire
from fangyuan.integration.parcels import Answer, Parcel, Send, short

PORTS: Final = {"TLS": 465, "STARTTLS": 587, "NONE": 25}
PATIENCE: Final = 20.0  # seconds that a server may take over one command
PAUSE: Final = timedelta(minutes=5)


class _Client(smtplib.SMTP):
    """A client whose connection goes to the judged address."""

    def __init__(self, host: str, port: int, *, is_safe: bool) -> None:
        self.is_safe = is_safe
        super().__init__(host, port, timeout=PATIENCE)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        link = wire.dial(host, port)
        link.settimeout(timeout)
        return wire.secured(link, host) if self.is_safe else link


@contextmanager
def open_way(channel: Any, secrets: dict[str, str]) -> Iterator[Send]:
    """A sender over one signed-in connection; raises Forbidden or Unreachable."""
    port = channel.port or PORTS[channel.security]
    try:
        client = _Client(channel.address, port, is_safe=channel.security == "TLS")
    except (OSError, smtplib.SMTPException) as wrong:
        raise wire.Unreachable(f"{channel.address}:{port} 没有答复：{_plain(wrong)}") from None
    try:
        _sign_in(client, channel, secrets)
        yield lambda parcel: _send(client, channel, parcel)
        with suppress(OSError, smtplib.SMTPException):
            client.quit()
    finally:
        client.close()


def _sign_in(client: smtplib.SMTP, channel: Any, secrets: dict[str, str]) -> None:
    """Encrypt and sign in as the channel says; raises Unreachable with the server's words."""
    try:
        if channel.security == "STARTTLS":
            client.starttls(context=ssl.create_default_context())
        if channel.login:
            client.login(channel.login, secrets.get("password", ""))
    except smtplib.SMTPAuthenticationError as wrong:
        raise wire.Unreachable(f"登录名或密码不对：{_said(wrong)}") from None
    except smtplib.SMTPResponseException as wrong:
        raise wire.Unreachable(_said(wrong)) from None
    except smtplib.SMTPNotSupportedError:
        raise wire.Unreachable("邮件服务器不支持所选的加密或登录方式") from None
    except (OSError, smtplib.SMTPException) as wrong:
        raise wire.Unreachable(f"{channel.address} 没有答复：{_plain(wrong)}") from None


def _send(client: smtplib.SMTP, channel: Any, parcel: Parcel) -> Answer:
    try:
        letter = compose(channel, parcel, timezone.now())
        client.send_message(letter)
    except smtplib.SMTPRecipientsRefused as wrong:
        code, said = next(iter(wrong.recipients.values()))
        return _judge(code, said)
    except smtplib.SMTPResponseException as wrong:
        return _judge(wrong.smtp_code, wrong.smtp_error)
    except (OSError, smtplib.SMTPException) as wrong:
        return Answer("LATER", f"发送中断：{_plain(wrong)}", hold=PAUSE)
    except ValueError:
        return Answer("REFUSED", f"邮箱“{parcel.email}”不能用")
    return Answer("SENT", f"250 邮件服务器已接收，发往 {parcel.email}")


def compose(channel: Any, parcel: Parcel, now: datetime) -> EmailMessage:
    """The letter; the same parcel always has the same Message-ID. Raises ValueError."""
    letter = EmailMessage(policy=FOLDED)
    letter["Subject"] = short(parcel.lines(is_full=channel.is_full)[0])
    letter["From"] = Address("方圆", addr_spec=channel.sender)
    letter["To"] = Address(parcel.name, addr_spec=parcel.email)
    letter["Date"] = format_datetime(now)
    letter["Message-ID"] = f"<{parcel.token}@{channel.sender.rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content("\n\n".join(parcel.lines(is_full=channel.is_full)) + "\n")
    return letter


def _judge(code: int, said: bytes | str) -> Answer:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return Answer("REFUSED" if code >= 500 else "LATER", f"{code} {text}")


def _said(wrong: smtplib.SMTPResponseException) -> str:
    text = wrong.smtp_error
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return f"{wrong.smtp_code} {said}"


def _plain(wrong: Exception) -> str:
    if isinstance(wrong, ssl.SSLCertVerificationError):
        return f"证书不对：{wrong.verify_message}"
    if isinstance(wrong, TimeoutError):
        return "等不到回应"
    return "连接被对方断开" if isinstance(wrong, smtplib.SMTPServerDisconnected) else "网络不通"
