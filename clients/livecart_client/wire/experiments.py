"""Results of experiments."""

from typing import Literal

from pydantic import AwareDatetime, Field

from livecart_client.wire.base import Reply

Metric = Literal["ctr", "cvr", "revenue_per_viewer"]


class Interval(Reply):
    """A relative difference to the control: 0.1 is a tenth more. Its bounds may be read at any time; null while too little is known."""

    value: float | None
    low: float | None
    high: float | None


class MetricLift(Interval):
    """Adjusted by what the same viewers did before their exposure (CUPED)."""

    unadjusted: Interval
    variance_reduction: float = Field(description="Share of the variance that the adjustment took away")


class VariantResult(Reply):
    variant: str
    is_control: bool
    weight: float = Field(description="Share of new viewers that it gets now")
    viewers: int = Field(description="Exposed")
    impressions: int = Field(description="Since the exposure of each viewer, as all that follows")
    clicks: int
    purchases: int
    revenue: float = Field(description="Sum of the purchases' `value`")
    ctr: float | None = Field(description="Clicks by impressions")
    cvr: float | None = Field(description="Purchases by clicks")
    revenue_per_viewer: float | None
    lift: dict[Metric, MetricLift] = Field(description="Against the control, whose own is empty")


class SampleRatio(Reply):
    """Whether viewers came as the weights deal them out (chi-square). If not `ok`, nothing else here can be trusted."""

    p: float
    ok: bool


class Experiment(Reply):
    name: str
    graph: str
    enabled: bool
    allocation: Literal["fixed", "thompson"]
    metric: Metric = Field(description="What is decided by")
    traffic: float
    confidence: float = Field(description="Of each interval")
    variants: list[VariantResult]
    sample_ratio: SampleRatio | None = Field(description="Null where results move the weights")
    computed_at: AwareDatetime
