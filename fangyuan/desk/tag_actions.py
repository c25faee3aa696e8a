"""Verbs on tags and their values: define, use, doubt, check, send back, put right."""

from __future__ import annotations

from typing import Any

from fangyuan import door
from fangyuan.core import text
from fangyuan.desk.models import Tag, TagValue
from fangyuan.org import posting
from fangyuan.org.models import Message, Person


@door.verb("tag", label="启用", writes=("stage", "activated_at"), stages=("DRAFT", "DISABLED"))
def activate_tag(deed: door.Deed, tag: Any) -> Any:
    """Put a tag into use (TAG-3.1.3c)."""
    if tag.stage == "ACTIVE":
        raise door.Denied("这个标签已启用")
    return deed.change(tag, stage="ACTIVE", activated_at=tag.activated_at or deed.at)


@door.verb("tag", label="停用", writes=("stage",), stages=("ACTIVE",))
def disable_tag(deed: door.Deed, tag: Any) -> Any:
    """Take a tag out of use; the values that it has stay."""
    if tag.stage != "ACTIVE":
        raise door.Denied("只有启用的标签才能停用")
    return deed.change(tag, stage="DISABLED")


@door.verb("tag", label="删除", writes=("stage",))
def remove_tag(deed: door.Deed, tag: Any) -> Any:
    """Remove a tag that nobody used; one that was used is only taken out of use (TAG-3.2.1b)."""
    used = TagValue.objects.everything("标签有没有用过").filter(tag=tag).exists()
    if used or tag.bound_to:
        return deed.change(tag, stage="DISABLED") if tag.stage != "DISABLED" else tag
    return deed.remove(tag)


def record_tag(deed: door.Deed, values: dict[str, Any]) -> Any:
    """Write a value of a tag; the one that stood before is kept as replaced (TAG-3.2.2c)."""
    kind, number = values["subject"] or (None, None)
    tag = values.get("tag_id") or getattr(values.get("tag"), "pk", None)
    before = (
        TagValue.objects.everything("换下原来的值")
        .present()
        .filter(tag_id=tag, subject_type=kind, subject_id=number, replaced_at=None)
    )
    freed = {"replaced_at"} - deed.free
    deed.free |= freed
    try:
        for old in before:
            deed.change(old, replaced_at=deed.at)
    finally:
        deed.free -= freed
    return deed.create(TagValue, values)


@door.verb(
    "tag_value",
    label="标为存疑",
    asks=("person", "comment"),
    writes=("verified", "doubted_at", "resolved_at"),
)
def doubt_tag(deed: door.Deed, tag_value: Any, *, person: Any = None, comment: str = "") -> Any:
    """Doubt a value, and ask a colleague to say how it is (TAG-3.1.2c)."""
    if person is not None:
        said = f"请确认“{tag_value}”。{comment}".strip()
        _tell(deed, tag_value, person.pk, "请确认一个标签值", said, "doubt")
    return deed.change(tag_value, verified="DOUBTFUL", doubted_at=deed.at, resolved_at=None)


@door.verb("tag_value", label="确认", asks=("value",), writes=("verified", "resolved_at", "value"))
def resolve_tag(deed: door.Deed, tag_value: Any, *, value: str = "") -> Any:
    """Say that a value is right, or put the right one in its place (TAG-3.1.2c)."""
    told = {"value": value} if value.strip() else {}
    return deed.change(tag_value, verified="VERIFIED", resolved_at=deed.at, **told)


CHECKED = ("checked", "checked_by", "checked_at")


@door.verb("tag_value", label="通过", writes=CHECKED)
def pass_tag(deed: door.Deed, tag_value: Any) -> Any:
    """Find a tag's value right (TAG-4.3.2a)."""
    return _checked(deed, tag_value, "PASSED")


@door.verb(
    "tag_value",
    label="退改",
    asks=("return_note",),
    writes=(*CHECKED, "return_note", "notified_at", "fixed_at"),
)
def return_tag(deed: door.Deed, tag_value: Any, *, return_note: str = "") -> Any:
    """Send a tag's value back to whoever entered it, and tell them (TAG-4.3.2b)."""
    note = return_note.strip()
    if Person.objects.everything("通知录入人").filter(pk=tag_value.recorded_by).exists():
        said = f"“{tag_value}”要改。{note}".strip()
        _tell(deed, tag_value, tag_value.recorded_by, "标签值退改", said, "return")
    told = {"return_note": note, "notified_at": deed.at, "fixed_at": None}
    return _checked(deed, tag_value, "RETURNED", **told)


@door.verb(
    "tag_value",
    label="改好",
    asks=("value", "example"),
    writes=("value", "example", "checked", "fixed_at"),
    stages=("RETURNED",),
)
def fix_tag(deed: door.Deed, tag_value: Any, *, value: str = "", example: str = "") -> Any:
    """Put right a value that was sent back; it is looked at again (TAG-4.3.2b)."""
    told = {"value": value or tag_value.value, "example": example or tag_value.example}
    return deed.move(tag_value, "WAITING", fixed_at=deed.at, **told)


def _checked(deed: door.Deed, tag_value: Any, state: str, **more: Any) -> Any:
    if deed.by is not None and tag_value.recorded_by == deed.by.pk:
        raise door.Denied("不能审核自己录入的标签")
    return deed.change(tag_value, checked=state, checked_by=deed.by, checked_at=deed.at, **more)


def _tell(  # noqa: PLR0913 - what a message is made of
    deed: door.Deed, tag_value: Any, person: int, title: str, said: str, step: str
) -> None:
    note = Message(
        person_id=person,
        kind=Message.Kind.NOTICE,
        topic=Message.Topic.MENTION,
        title=title,
        text=said,
        sent_at=deed.at,
        step_key=f"tag:{step}:{tag_value.pk}:{deed.at.isoformat()}",
    )
    note.subject = tag_value
    posting.post([note])


def key_of(name: str) -> str:
    """What of a name is compared: its letters, without the words that say nothing."""
    plain = text.normalise(name)
    for ending in ("标签", "信息", "情况"):
        if plain.endswith(ending) and len(plain) > len(ending) + 1:
            plain = plain.removesuffix(ending)
    return plain


@door.follows("tag")
def keep_near_names(_: Any, numbers: set[int]) -> None:
    """Write for every tag of the same object how many others are called nearly the same."""
    objects = set(Tag._base_manager.filter(pk__in=numbers).values_list("object", flat=True))
    known = Tag.objects.everything("近似名").present().filter(object__in=objects)
    rows = list(known.exclude(stage="DISABLED"))
    changed = []
    for tag in rows:
        near = sum(_near(tag, other) for other in rows)
        if tag.near_names != near:
            tag.near_names = near
            changed.append(tag)
    Tag._base_manager.bulk_update(changed, ["near_names"])


def _near(one: Tag, other: Tag) -> bool:
    if one.pk == other.pk or one.object != other.object:
        return False
    mine, theirs = key_of(one.name), key_of(other.name)
    short, long = sorted((mine, theirs), key=len)
    return short == long or (len(short) >= 3 and len(long) == len(short) + 1 and short in long)
