"""How good answers are, beside what could be answered without learning anything."""
