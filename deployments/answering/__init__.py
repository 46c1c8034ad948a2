"""How well questions are answered: the answer graph as it is served, over rows of a file instead of a store."""
