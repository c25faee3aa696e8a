"""Addresses of messages, their proofs, what people want to be told, and the channels."""

from __future__ import annotations

from django.urls import path

from fangyuan.site import channels, inbox, wishes

urlpatterns = [
    path("messages", inbox.messages, name="messages"),
    path("messages/read", inbox.read_all, name="read_messages"),
    path("messages/<int:number>", inbox.message, name="message"),
    path("preferences", wishes.mine, name="preferences"),
    path("preferences/company", wishes.company, name="company_preferences"),
    path("preferences/follow", wishes.follow, name="follow_company"),
    path("channels", channels.channels, name="channels"),
    path("channels/new", channels.new, name="new_channel"),
    path("channels/<int:number>", channels.channel, name="channel"),
    path("channels/<int:number>/switch", channels.switch, name="switch_channel"),
    path("channels/<int:number>/test", channels.test, name="test_channel"),
    path("channels/<int:number>/renew", channels.renew, name="renew_channel"),
    path("channels/<int:number>/remove", channels.remove, name="remove_channel"),
]
