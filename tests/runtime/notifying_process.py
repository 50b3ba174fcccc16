"""A process that sends what is due to one receiver: ``URL ORIGIN FOLDER``; it may be killed."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from agent_console.gateways.workspace import Workspace
from agent_console.runtime.host import WorkerHost
from agent_console.runtime.registry import Registry
from agent_console.services import notification_sending
from agent_console.settings import Settings
from agent_console.store.database import Database
from agent_console.store.signals import Signals
from tests.support.receiver import HOST

notification_sending.SLACK = 0.5  # the lease of a dead process ends while the test waits


def main(url: str, origin: str, folder: Path) -> None:
    db = Database(url)
    signals = Signals(db)
    settings = Settings(
        data_dir=folder,
        http_allow=(origin,),
        http_allow_private=(f"{HOST}/32",),
        notify_timeout=1.0,
    )
    signals.start()
    host = WorkerHost(db, Registry([]), settings, signals, Workspace(folder / "workspace"))
    host.start(desired=False)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
