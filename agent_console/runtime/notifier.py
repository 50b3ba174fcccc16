"""Notifications in this process: the outbox filled when something happened, emptied by threads."""

from __future__ import annotations

import logging
import threading
from time import monotonic

from agent_console.domain.errors import Unavailable
from agent_console.services.notification_feed import NewsFeed
from agent_console.services.notification_sending import Dispatcher

THREADS = 4  # subscriptions served at once; a slow one holds up itself

_log = logging.getLogger(__name__)


class Notifier:
    """Sends what is due, a thread per subscription; nothing here waits for the other side.

    The threads are daemons: one that hangs does not keep the process, whose end is not its own.
    What it was sending comes due again when its lease ends.
    """

    def __init__(self, feed: NewsFeed, dispatcher: Dispatcher) -> None:
        """Start nothing yet."""
        self._feed, self._dispatcher = feed, dispatcher
        self._threads: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def start(self) -> None:
        """Send from now on."""
        self._stopping.clear()

    def work(self) -> int:
        """Fill the outbox and begin to send; return how much was begun.

        Raises:
            Unavailable: the database is out of reach; the next look goes on.
        """
        if self._stopping.is_set():
            return 0
        made = self._feed.collect()
        due = self._dispatcher.due()
        return made + sum(self._begin(subscription_id) for subscription_id in due)

    def seconds_to_next(self) -> float | None:
        """Return the seconds until there may be something to do; None: not soon."""
        return None if self._stopping.is_set() else self._feed.seconds_to_next()

    def stop(self, seconds: float) -> None:
        """Begin nothing more, and wait so long for what is being sent."""
        self._stopping.set()
        deadline = monotonic() + seconds
        with self._lock:
            threads = list(self._threads.values())
        for thread in threads:
            thread.join(max(0.0, deadline - monotonic()))

    def _begin(self, subscription_id: str) -> bool:
        with self._lock:
            if (
                self._stopping.is_set()
                or subscription_id in self._threads
                or len(self._threads) >= THREADS
            ):
                return False
            thread = threading.Thread(
                target=self._serve, args=(subscription_id,), name="notify", daemon=True
            )
            self._threads[subscription_id] = thread
        thread.start()
        return True

    def _serve(self, subscription_id: str) -> None:
        try:
            self._dispatcher.send_all(subscription_id, lambda: not self._stopping.is_set())
        except Unavailable as error:
            _log.debug("notifications: %s", error)
        except Exception:  # noqa: BLE001 - of a thread of its own; the next look begins again
            _log.exception("notifications could not be sent")
        finally:
            with self._lock:
                del self._threads[subscription_id]
