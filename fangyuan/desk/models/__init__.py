"""The record types of the desk room: what any record may carry."""

from fangyuan.desk.models.carried import Attachment as Attachment
from fangyuan.desk.models.carried import Change as Change
from fangyuan.desk.models.carried import Comment as Comment
from fangyuan.desk.models.carried import ImportBatch as ImportBatch
from fangyuan.desk.models.carried import Level as Level
from fangyuan.desk.models.carried import SavedView as SavedView
from fangyuan.desk.models.carried import Submission as Submission
from fangyuan.desk.models.carried import clock_at as clock_at
from fangyuan.desk.models.carried import is_true as is_true
from fangyuan.desk.models.carried import kept_at as kept_at
from fangyuan.desk.models.tag import Tag as Tag
from fangyuan.desk.models.tag import TagValue as TagValue
