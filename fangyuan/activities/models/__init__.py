"""Activities with customers, meetings, plans, reports, tasks, and what they use."""

from fangyuan.activities.models.activity import NO_ISSUE as NO_ISSUE
from fangyuan.activities.models.activity import Activity as Activity
from fangyuan.activities.models.meeting import Meeting as Meeting
from fangyuan.activities.models.participant import Participant as Participant
from fangyuan.activities.models.plan import Plan as Plan
from fangyuan.activities.models.plan import PlanItem as PlanItem
from fangyuan.activities.models.report import Report as Report
from fangyuan.activities.models.task import Task as Task
from fangyuan.activities.models.usage import ResourceUsage as ResourceUsage
