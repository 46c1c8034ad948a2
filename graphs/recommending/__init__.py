"""From ranked candidates to a list that a viewer likes to look through."""
