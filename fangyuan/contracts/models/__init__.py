"""The record types of the contracts room."""

from fangyuan.contracts.models.contract import Contract as Contract
from fangyuan.contracts.models.offer import Confirmed as Confirmed
from fangyuan.contracts.models.offer import Negotiation as Negotiation
from fangyuan.contracts.models.offer import Point as Point
from fangyuan.contracts.models.offer import Quote as Quote
from fangyuan.contracts.models.offer import QuoteLine as QuoteLine
from fangyuan.contracts.models.offer import Solution as Solution
