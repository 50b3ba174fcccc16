"""The command ``agent-console``: the same services, from a terminal."""

from __future__ import annotations


def main() -> None:
    """Run the command line; exits 0 when done, 1 when it could not be, 2 on wrong usage."""
    from agent_console.cli.app import app

    app()
