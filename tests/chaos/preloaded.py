"""What children of the fork server use, imported before they are forked."""

from __future__ import annotations

import tests.chaos.deciders
import tests.chaos.stoppable
import tests.chaos.zombies  # noqa: F401 - imported for those who come after
