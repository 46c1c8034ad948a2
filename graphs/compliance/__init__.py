"""What the law on advertising and live commerce minds in a text; the rules are data (`graphs/data/compliance.json`).

The rules are our own, after public law: absolute terms, effect claims, price comparisons without a basis, sales figures, honours,
urgency, trade off the platform and more; docs/compliance.md lists them. They find wordings, they do not replace a lawyer.
"""

from graphs.compliance.checking import Compliance, Finding, Rulebook, check, enforce, shipped_rules
from graphs.compliance.rules import SEVERITIES, Severity, ShopRule

__all__ = ["SEVERITIES", "Compliance", "Finding", "Rulebook", "Severity", "ShopRule", "check", "enforce", "shipped_rules"]
