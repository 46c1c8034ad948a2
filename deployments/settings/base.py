"""What the settings' models share."""

from typing import Annotated

from limits import parse as parse_rate
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Seconds = Annotated[float, Field(gt=0, le=3_600)]


def _rate(text: str) -> str:
    parse_rate(text)  # raises ValueError that quotes it
    return text


Rate = Annotated[str, AfterValidator(_rate)]  # "40 per 2 seconds"


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
