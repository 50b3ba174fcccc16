"""Make the accounts of the end-to-end tests in the database the environment names."""

from __future__ import annotations

import json
import sys

from agent_console.cli.session import opened
from agent_console.domain.access import Role

PASSWORD = "violet ferry under eleven lanterns"
NAMES = {
    Role.ADMIN: "Ada Admin",
    Role.REVIEWER: "Rita Reviewer",
    Role.OPERATOR: "Omar Operator",
    Role.VIEWER: "Vic Viewer",
}


def email(role: Role) -> str:
    """Return the sign-in name of the account with ``role``."""
    return f"{role.value}@example.com"


def main() -> None:
    """Print one API token per role, as JSON."""
    tokens = {}
    with opened() as (console, actor):
        access = console.services.access
        for role, name in NAMES.items():
            access.create_user(actor, email=email(role), name=name, role=role, password=PASSWORD)
            grant = access.create_token(actor, email(role), name="e2e", days=1)
            tokens[role.value] = grant.token
    json.dump(tokens, sys.stdout)


if __name__ == "__main__":
    main()
