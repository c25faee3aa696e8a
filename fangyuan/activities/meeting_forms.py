"""The forms of a meeting: a new one, and a resolution."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Count, Q
from django.utils import timezone

from fangyuan import door
from fangyuan.access import table
from fangyuan.activities import agenda, meeting_actions, showing
from fangyuan.activities.models import Meeting
from fangyuan.core import spans
from fangyuan.desk import inputs
from fangyuan.opportunities.models import Opportunity
from fangyuan.org.models import Person, Team

INPUT = {"class": "inp"}


def end_of(day: date) -> datetime:
    """24:00 of a day."""
    return spans.midnight(day + timedelta(days=1))


def next_of(meeting: Meeting, actor: Any) -> Any:
    """The next one of a series; a meeting without a rhythm returns after its usual one."""
    payload = {}
    if not meeting.every:
        meeting.every = agenda.every(meeting.kinds) or "WEEK"
        payload = {"starts_at": agenda.after(meeting)}
    return door.act("prepare_next", meeting, by=actor, payload=payload)


def counted(rows: Any) -> list[Any]:
    """Meetings with how many were asked, how many came, and what became of the resolutions."""
    asked = Q(participants__removed_at=None, participants__isnull=False)
    came = Q(participants__state__in=("ON_TIME", "LATE", "LEFT"))
    given = Q(tasks__kind="RESOLUTION", tasks__removed_at=None)
    return list(
        rows.annotate(
            asked=Count("participants", filter=asked, distinct=True),
            came=Count("participants", filter=asked & came, distinct=True),
            resolved=Count("tasks", filter=given, distinct=True),
            done=Count("tasks", filter=given & Q(tasks__done_at__isnull=False), distinct=True),
        )
    )


class Resolution(forms.Form):
    """A resolution: what, who, by when; one of those asked is offered first."""

    title = forms.CharField(
        label="决议",
        max_length=200,
        widget=forms.TextInput({**INPUT, "placeholder": "要做成什么，如：提交两条产线的方案"}),
    )
    due_on = forms.DateField(
        label="期限",
        widget=forms.DateInput({**INPUT, "type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, meeting: Meeting, *args: Any) -> None:
        super().__init__(*args)
        asked = meeting.participants.everything("决议派给谁").present().exclude(person=None)
        people = Person.objects.everything("决议派给谁").present().filter(
            Q(pk__in=asked.values("person")) | Q(pk=meeting.host_id)
        )  # fmt: skip
        self.fields["person"] = forms.ModelChoiceField(
            people.order_by("pk"), label="责任人", widget=forms.Select(INPUT), empty_label="谁来办"
        )
        self.fields["due_on"].initial = timezone.localdate() + timedelta(days=7)


class New(forms.Form):
    """A new meeting of a team; whoever belongs to the team is asked unless taken off."""

    kinds = forms.MultipleChoiceField(
        label="类型",
        choices=Meeting.Kind.choices,
        widget=forms.CheckboxSelectMultiple({"class": "ck"}),
        error_messages={"required": "至少选一种"},
    )
    title = forms.CharField(
        label="主题",
        required=False,
        max_length=100,
        widget=forms.TextInput({**INPUT, "placeholder": "不写就按类型和日期起名"}),
    )
    place = forms.CharField(
        label="地点",
        required=False,
        max_length=100,
        widget=forms.TextInput({**INPUT, "placeholder": "会议室或线上会议号"}),
    )

    def __init__(self, actor: Any, given: Mapping[str, str], *args: Any) -> None:
        super().__init__(*args)
        self.actor = actor
        self.opportunity = self._about(given.get("opportunity", ""))
        team = self._team(given.get("team", ""))
        kinds = [k for k in given.get("kinds", "").split(",") if k in Meeting.Kind.values]
        self._fill(team, kinds or self._usual(team))

    def _about(self, number: str) -> Any:
        if not number.isdecimal():
            return None
        seen = Opportunity.objects.seen_by(self.actor).present()
        return seen.filter(pk=int(number)).first()

    def _team(self, number: str) -> Any:
        """The team asked for, else the one that the actor leads, else the one they belong to."""
        rows = Team.objects.everything("开会的团队").present()
        if number.isdecimal() and (found := rows.filter(pk=int(number)).first()):
            return found
        own = table.sight(self.actor).team_ids
        led = rows.filter(leader=self.actor).order_by("-kind", "pk").first()
        return led or rows.filter(pk__in=own).first() or rows.first()

    def _usual(self, team: Any) -> list[str]:
        """What this team met for last, else a weekly round."""
        held = Meeting.objects.seen_by(self.actor).present().filter(team=team)
        weekly = [kind for kind, rhythm in agenda.USUAL.items() if rhythm == "WEEK"]
        last = held.filter(kinds__overlap=weekly).order_by("-starts_at").first()
        return list(last.kinds) if last else ["WEEKLY", "REGULAR"]

    def _fill(self, team: Any, kinds: list[str]) -> None:
        teams = Team.objects.everything("开会的团队").present().order_by("pk")
        self.fields["team"] = forms.ModelChoiceField(
            teams, label="团队", initial=team, empty_label=None, widget=forms.Select(INPUT)
        )
        members = showing.people_of(team.pk, timezone.localdate())
        people = Person.objects.everything("参会名单").present().order_by("pk")
        there = people.filter(pk__in=[*members, self.actor.pk])
        self.fields["people"] = forms.ModelMultipleChoiceField(
            there,
            label="参会人",
            required=False,
            initial=there,
            widget=forms.CheckboxSelectMultiple({"class": "ck"}),
        )
        self.fields["host"] = forms.ModelChoiceField(
            there, label="主持人", initial=self.actor, widget=forms.Select(INPUT), empty_label=None
        )
        self.fields["starts_at"] = inputs.Moment(label="开始")
        self.fields["starts_at"].widget.attrs.update(INPUT)
        soon = timezone.localtime().replace(minute=0, second=0, microsecond=0)
        self.fields["starts_at"].initial = soon + timedelta(hours=1)
        self.fields["every"] = forms.ChoiceField(
            label="周期",
            required=False,
            choices=[("", "只开这一次"), *Meeting.Every.choices],
            initial=agenda.every(kinds) or "",
            widget=forms.Select(INPUT),
        )
        self.fields["kinds"].initial = kinds
        self.order_fields(["kinds", "team", "starts_at", "every", "host", "place", "title"])

    def make(self) -> Any:
        """The meeting with those asked, who are told; a former one of the kind comes before it."""
        said = self.cleaned_data
        day = timezone.localtime(said["starts_at"])
        names = [str(Meeting.Kind(kind).label) for kind in said["kinds"]]
        title = said["title"] or f"{said['team']}{'、'.join(names[:1])} {day.month}-{day.day:02d}"
        values = {name: said[name] for name in ("kinds", "team", "host", "starts_at", "place")}
        with door.acting(by=self.actor, action="create") as deed:
            more = {"title": title, "every": said["every"] or None, "previous": self._before()}
            made = deed.create(Meeting, {**values, **more, "opportunity": self.opportunity})
            people = [person.pk for person in said["people"]]
            meeting_actions.ask(deed, made, [said["host"].pk, *people])
            meeting_actions.invite(deed, made)
        return made

    def _before(self) -> Any:
        """The last meeting of the team and kind that no other one follows yet."""
        said = self.cleaned_data
        rows = Meeting.objects.everything("上次会议").present().filter(
            team=said["team"], kinds__overlap=said["kinds"], starts_at__lt=said["starts_at"]
        )  # fmt: skip
        rows = rows.exclude(pk__in=Meeting._base_manager.filter(removed_at=None)
                            .exclude(previous=None).values("previous"))  # fmt: skip
        if set(said["kinds"]) & {"PROJECT", "KICKOFF", "WORKSHOP", "ONE_ON_ONE"}:
            rows = rows.filter(host=said["host"], opportunity=self.opportunity)
        return rows.order_by("-starts_at").first()
