"""Procedural drawing of invented products and live-room frames (PIL and numpy only)."""
