"""Frames in a row: objects followed and voted on, and what a room has shown, as events."""
