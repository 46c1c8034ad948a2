"""What protects the graphs against those who write to the model, in a question, a document, a product or a brief.

Two sides. `stored`: sentences that address a language model, and prices that are not the store's, never become facts. `said`: what a
model said is looked at for what must not get out, whoever made it say so. The patterns are data (`graphs/data/guarding.json`).
"""

from graphs.guarding.said import betrays, leans_on
from graphs.guarding.stored import GuardedCatalog, GuardedKnowledge, addresses_model, disarmed, tells_other_price, wish

__all__ = ["GuardedCatalog", "GuardedKnowledge", "addresses_model", "betrays", "disarmed", "leans_on", "tells_other_price", "wish"]
