"""Access: sessions, accounts and API tokens behind one name."""

from __future__ import annotations

from agent_console.services.access_base import AccessOptions, SessionGrant
from agent_console.services.accounts import Accounts
from agent_console.services.sign_in import SignIn
from agent_console.services.tokens import TokenGrant, Tokens
from agent_console.store.sessions import ApiTokenView

__all__ = ["AccessOptions", "AccessService", "ApiTokenView", "SessionGrant", "TokenGrant"]


class AccessService(SignIn, Accounts, Tokens):
    """Who is who, and what proves it."""
