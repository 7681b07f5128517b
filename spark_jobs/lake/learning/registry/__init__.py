"""Versions of models: their files and figures, who of them serves, and how each can be made again."""
