"""The engine. It knows no table by name."""
