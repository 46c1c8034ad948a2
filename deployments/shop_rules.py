"""A shop's own compliance rules, from the file that `user_config` of the ingress names; docs/compliance.md shows one."""

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, StringConstraints, ValidationError, model_validator

from deployments.settings import Frozen
from graphs.compliance import Rulebook, Severity, ShopRule, shipped_rules
from graphs.errors import GraphError
from models.types import Language

Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
MAX_PHRASES = 5_000  # of all rules together


class Suggestion(Frozen):
    zh: Phrase
    en: Phrase


class ShopRuleRow(Frozen):
    rule: Annotated[str, Field(max_length=64)]
    words: tuple[Phrase, ...] = ()
    exceptions: tuple[Phrase, ...] = ()
    severity: Severity | None = None
    suggestion: Suggestion | None = None
    instead: dict[Phrase, Annotated[str, Field(max_length=100)]] = Field(default_factory=dict)


class ShopRules(Frozen):
    rules: tuple[ShopRuleRow, ...]

    @model_validator(mode="after")
    def _not_too_many(self) -> "ShopRules":
        phrases = sum(len(row.words) + len(row.exceptions) for row in self.rules)
        if phrases > MAX_PHRASES:
            raise ValueError(f"{phrases} words and exceptions; at most {MAX_PHRASES} are read")
        return self


def rulebook(path: Path | None) -> Rulebook:
    """The shipped rules, and those of the file (YAML or JSON) when one is named.

    Raises GraphError that says what is wrong with the file and where.
    """
    if path is None:
        return shipped_rules()
    try:
        read = ShopRules.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        return shipped_rules().extended(map(_shop_rule, read.rules))
    except OSError as error:
        raise GraphError(f"the compliance rules {path} cannot be read: {error.strerror or error}") from error
    except yaml.YAMLError as error:
        raise GraphError(f"the compliance rules {path} are no YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        raise GraphError(f"the compliance rules {path}: {_told(error)}") from error
    except ValueError as error:
        raise GraphError(f"the compliance rules {path}: {error}") from error


def _told(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in error.errors(include_url=False)[:5])


def _shop_rule(row: ShopRuleRow) -> ShopRule:
    advice: dict[Language, str] | None = {"zh": row.suggestion.zh, "en": row.suggestion.en} if row.suggestion else None
    return ShopRule(row.rule, row.words, row.exceptions, row.severity, advice, row.instead)
