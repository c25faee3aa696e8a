"""The record types of the marketing room."""

from fangyuan.marketing.models.campaign import Campaign as Campaign
from fangyuan.marketing.models.intel import Intel as Intel
