"""消息渠道: set up, switch on and off, try out. What is secret is entered here and never shown."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages as told
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fangyuan import door
from fangyuan.access import table
from fangyuan.access.models import AccessLog
from fangyuan.desk.replies import refused
from fangyuan.integration import sealing, setup, state
from fangyuan.integration.models import TOPICS, Channel
from fangyuan.org.models import Team

HINTS = {
    "MAIL": "公司的邮件服务器。内网的服务器要先由运维写进 FY_PRIVATE_HOSTS。",
    "WECOM": "群设置 → 群机器人 → 添加，复制它的地址。每分钟最多 20 条，多的排队。",
    "DINGTALK": "群设置 → 机器人 → 自定义，安全设置选“加签”，复制地址和密钥。每分钟最多 20 条。",
    "LARK": "群设置 → 群机器人 → 自定义机器人，打开“签名校验”，复制地址和密钥。每分钟最多 20 条。",
    "WEBHOOK": "每条消息以 JSON 发到对方的 https 地址，带签名；验签办法见“通知”说明。",
}
SECRET_HINTS = {True: "已设置，留空不变", False: "还没有设置"}
WHOLE = "所有人"


class ChannelForm(forms.Form):
    """The settings of a channel of one kind, and its secrets, which only go in."""

    name = forms.CharField(label="名称", max_length=40)
    team = forms.ModelChoiceField(
        Team.objects.none(), label="发给哪个团队的人", required=False, empty_label=WHOLE
    )
    topics = forms.MultipleChoiceField(
        label="事项", choices=TOPICS, required=False, widget=forms.CheckboxSelectMultiple
    )
    is_full = forms.BooleanField(
        label="写出标题和内容",
        required=False,
        help_text="群里的人不一定看得到每个客户；不勾就只说有一条新消息，点开才看到内容",
    )

    def __init__(self, *args: Any, kind: str, known: frozenset[str], **more: Any) -> None:
        super().__init__(*args, **more)
        self.kind = kind
        teams: Any = self.fields["team"]
        teams.queryset = Team.objects.everything("收件团队").present().order_by("code")
        needs = setup.NEEDS[kind]
        for name in needs.fields:
            self.fields[name] = _plain(kind, name)
            self.fields[name].required = name in needs.must
        for name in needs.secrets:
            self.fields[f"secret_{name}"] = forms.CharField(
                label=setup.LABELS[name],
                required=name in needs.must_secrets and name not in known and kind != "WEBHOOK",
                help_text=SECRET_HINTS[name in known],
                widget=forms.PasswordInput({"autocomplete": "new-password"}),
                strip=True,
            )
        for shown in self.fields.values():
            is_box = isinstance(shown.widget, forms.CheckboxInput | forms.CheckboxSelectMultiple)
            shown.widget.attrs["class"] = "ck" if is_box else "inp"

    def values(self) -> dict[str, Any]:
        """What goes into the record."""
        return {
            name: one for name, one in self.cleaned_data.items() if not name.startswith("secret_")
        }

    def secrets(self) -> dict[str, str]:
        """What goes under seal."""
        return {
            name.removeprefix("secret_"): one
            for name, one in self.cleaned_data.items()
            if name.startswith("secret_") and one
        }


def _plain(kind: str, name: str) -> forms.Field:
    label = {
        "address": "邮件服务器" if kind == "MAIL" else "接收地址",
        "port": "端口（留空用常用的）",
        "login": "登录名",
        "sender": "发件地址",
    }
    if name == "port":
        return forms.IntegerField(label=label[name], min_value=1, max_value=65535)
    if name == "security":
        return forms.ChoiceField(label="加密", choices=Channel.Security.choices)
    return forms.CharField(label=label[name], max_length=500)


View = Callable[..., HttpResponse]


def _for(operation: str) -> Callable[[View], View]:
    """Only for those who may do this to channels."""

    def wrap(view: View) -> View:
        @functools.wraps(view)
        def inner(request: HttpRequest, **more: Any) -> HttpResponse:
            if not table.may(request.user, "channel", operation):
                return refused(request, "消息渠道由系统管理员设置")
            return view(request, **more)

        return inner

    return wrap


def _seen(request: HttpRequest, number: int) -> Channel:
    found = Channel.objects.seen_by(request.user).present().filter(pk=number).first()
    if found is None:
        raise Http404("消息渠道")
    return found


@require_safe
@_for("r")
def channels(request: HttpRequest) -> HttpResponse:
    """Every channel with its state, and the kinds to choose from for a new one."""
    context = {
        "states": state.channel_state(timezone.now()),
        "kinds": Channel.Kind.choices,
        "may_create": table.may(request.user, "channel", "c"),
        "may_change": table.may(request.user, "channel", "u"),
    }
    return render(request, "site/channels.html", context)


@require_http_methods(["GET", "POST"])
@_for("c")
def new(request: HttpRequest) -> HttpResponse:
    """Set up a channel; it is off until somebody switches it on."""
    kind = request.POST.get("kind") or request.GET.get("kind") or ""
    if kind not in Channel.Kind.values:
        raise Http404("渠道方式")
    blank = Channel(kind=kind, is_full=kind in ("MAIL", "WEBHOOK"))
    return _form(request, blank, [code for code, _ in TOPICS])


@require_http_methods(["GET", "POST"])
@_for("r")
def channel(request: HttpRequest, number: int) -> HttpResponse:
    """One channel: its settings, changed by those who may."""
    found = _seen(request, number)
    if request.method == "POST" and not table.may(request.user, "channel", "u"):
        return refused(request, "消息渠道由系统管理员设置")
    return _form(request, found, found.topics)


def _form(request: HttpRequest, found: Channel, topics: list[str]) -> HttpResponse:
    known = sealing.names(found) if found.pk else frozenset()
    initial = {**vars(found), "team": found.team_id, "topics": topics}
    form = ChannelForm(request.POST or None, initial=initial, kind=found.kind, known=known)
    if request.method == "POST" and form.is_valid():
        try:
            return _save(request, form, found)
        except (door.Refused, door.Denied) as problem:
            form.add_error(None, str(problem))
    return _show(request, found, form)


def _show(request: HttpRequest, found: Channel, form: ChannelForm, **more: Any) -> HttpResponse:
    now = timezone.now()
    states = [one for one in state.channel_state(now) if one.number == found.pk]
    context = {
        "channel": found,
        "form": form,
        "hint": HINTS[found.kind],
        "state": states[0] if states else None,
        "may_change": table.may(request.user, "channel", "u"),
        **more,
    }
    return render(request, "site/channel.html", context)


def _save(request: HttpRequest, form: ChannelForm, found: Channel) -> HttpResponse:
    secrets, fresh = form.secrets(), ""
    if found.kind == "WEBHOOK" and not found.pk and not secrets.get("secret"):
        fresh = secrets["secret"] = setup.fresh_secret()
    plain = setup.NEEDS[found.kind].fields
    trial = Channel(kind=found.kind, **{name: form.values()[name] for name in plain})
    if said := setup.fault(trial, secrets):
        form.add_error("address" if "address" in form.fields else "secret_url", said)
        return _show(request, found, form)
    with door.acting(by=request.user, action="set_channel") as deed:
        if found.pk:
            kept = deed.change(found, form.values())
        else:
            kept = deed.create(Channel, {**form.values(), "kind": found.kind})
        if secrets:
            sealing.keep(kept, secrets)
            _trace(request, kept, "更换密钥")
    if fresh:
        blank = ChannelForm(
            initial={**vars(kept), "team": kept.team_id},
            kind=kept.kind,
            known=frozenset(secrets),
        )
        return _show(request, kept, blank, fresh=fresh)
    told.success(request, f"“{kept}”已保存" + ("" if kept.is_on else "，试发一条，再启用"))
    return redirect(f"/channels/{kept.pk}")


def _trace(request: HttpRequest, found: Channel, purpose: str) -> None:
    AccessLog(
        person=request.user,
        kind="SEND_OUT",
        subject_type="channel",
        subject_id=found.pk,
        terminal=str(request.META.get("REMOTE_ADDR", "")),
        purpose=purpose,
    ).save()


@require_POST
@_for("u")
def switch(request: HttpRequest, number: int) -> HttpResponse:
    """Switch a channel on or off."""
    is_on = request.POST.get("is_on") == "1"
    try:
        payload = {"is_on": is_on}
        door.act("switch_channel", _seen(request, number), by=request.user, payload=payload)
    except (door.Refused, door.Denied) as problem:
        told.warning(request, str(problem))
    else:
        told.success(request, "已启用" if is_on else "已停用，排着的消息等到启用再发")
    return redirect(f"/channels/{number}")


@require_POST
@_for("u")
def test(request: HttpRequest, number: int) -> HttpResponse:
    """Send one message to the actor right away and show the exact answer."""
    found = _seen(request, number)
    _trace(request, found, "试发")
    answer = setup.test(found, request.user, timezone.now())
    initial = {**vars(found), "team": found.team_id, "topics": found.topics}
    form = ChannelForm(initial=initial, kind=found.kind, known=sealing.names(found))
    return _show(request, found, form, answer=answer)


@require_POST
@_for("u")
def renew(request: HttpRequest, number: int) -> HttpResponse:
    """Make a new secret for a webhook and show it this once."""
    found = _seen(request, number)
    if found.kind != "WEBHOOK":
        raise Http404("签名密钥")
    fresh = setup.fresh_secret()
    sealing.keep(found, {"secret": fresh})
    _trace(request, found, "更换密钥")
    initial = {**vars(found), "team": found.team_id, "topics": found.topics}
    form = ChannelForm(initial=initial, kind=found.kind, known=sealing.names(found))
    return _show(request, found, form, fresh=fresh)


@require_POST
@_for("u")
def remove(request: HttpRequest, number: int) -> HttpResponse:
    """Put a channel into the recycle bin; what it sent remains as evidence."""
    found = _seen(request, number)
    with door.acting(by=request.user, action="remove") as deed:
        deed.free.add("is_on")
        deed.remove(deed.change(found, is_on=False) if found.is_on else found)
    told.success(request, f"“{found}”已移入回收站，送过的消息仍可查")
    return redirect("/channels")
