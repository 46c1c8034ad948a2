"""Does the evidence carry a text: its figures, its words, its claims, its polarity? No model decides."""
