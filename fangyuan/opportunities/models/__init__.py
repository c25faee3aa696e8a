"""Sales projects: the stages of each pipeline, what stands in them, needs and rivals."""

from fangyuan.opportunities.models.forecast import Adjustment as Adjustment
from fangyuan.opportunities.models.forecast import Snapshot as Snapshot
from fangyuan.opportunities.models.need import Need as Need
from fangyuan.opportunities.models.opportunity import Opportunity as Opportunity
from fangyuan.opportunities.models.opportunity import Rivalry as Rivalry
from fangyuan.opportunities.models.opportunity import StageEntry as StageEntry
from fangyuan.opportunities.models.opportunity import Step as Step
from fangyuan.opportunities.models.stage import Stage as Stage
from fangyuan.opportunities.models.stage import StageItem as StageItem
