"""What the launcher raises on purpose: one sentence that says what to do."""

from __future__ import annotations

from expectations.errors import TerminalError


class LauncherError(TerminalError):
    """Set-up or a local process cannot go on before a person changes something."""
