"""Experiments on graphs that serve: who gets which variant, who was exposed to it, what came of it."""
