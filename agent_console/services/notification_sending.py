"""Sending what is in the outbox: taken, sent, recorded. At least once, always under one id."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from agent_console.domain.clock import Clock, SystemClock
from agent_console.domain.errors import ConsoleError, Misconfigured
from agent_console.domain.notifications import (
    DIGEST,
    TEST,
    Outcome,
    Sending,
    Topic,
    Way,
    wait_before,
)
from agent_console.domain.redaction import redact_text
from agent_console.gateways import signing
from agent_console.gateways.apprise_targets import AppriseTargets
from agent_console.gateways.http import HttpGateway
from agent_console.gateways.vault import Vault, open_vault
from agent_console.services.notification_messages import digest_body, obsolete, words
from agent_console.services.notification_targets import Target
from agent_console.settings import Settings
from agent_console.store import deliveries, digests, notifications, outbox
from agent_console.store.database import Database
from agent_console.store.transactions import Queries

VAULT = "notifications.key"  # the keystore's secret under which targets are encrypted
SLACK = 30.0  # seconds that a lease lasts beyond the longest a message may take
GONE = 410
MAX_ERROR = 300  # characters of what is kept of a failure
DAY = 86_400

_log = logging.getLogger(__name__)


class Dispatcher:
    """Sends messages, from any number of threads and processes, each by one at a time."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        http: HttpGateway,
        *,
        vault: Vault | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Send through ``http`` and apprise; ``clock`` is for signatures and durations."""
        self._db, self._settings, self._http = db, settings, http
        self.vault = vault or open_vault(settings, VAULT)
        self.apprise = AppriseTargets(settings.notify_schemes, settings.notify_timeout)
        self._clock = clock or SystemClock()
        self._complaint = ""
        self._rng = random.Random()  # noqa: S311 - spreads tries, hides nothing

    def due(self) -> list[str]:
        """Return the subscriptions to which something is to be sent now.

        None in a process whose keystore cannot tell where to: others do.

        Raises:
            Unavailable: the database is out of reach.
        """
        with self._db.read() as reader:
            found = deliveries.due(reader)
        return found if found and self._can_send() else []

    def send_all(self, subscription_id: str, go_on: Callable[[], bool]) -> int:
        """Send what is due to one subscription while ``go_on`` holds; return how many tries.

        Raises:
            Unavailable: the database is out of reach.
        """
        sent = 0
        while go_on():
            sending = self._db.write(lambda tx: deliveries.take(tx, subscription_id, self.lease))
            if sending is None:
                break
            self.send(sending)
            sent += 1
        return sent

    def send(self, sending: Sending, *, retry: bool = True) -> None:
        """Send a message that was taken, and record what became of it.

        Raises:
            Unavailable: the database is out of reach; the message comes due again.
        """
        with self._db.read() as reader:
            to = notifications.target(reader, sending.subscription_id)
            if to is None:  # deleted, and its messages with it
                return
            way, ciphertext = to
            body, why = _as_of_now(reader, sending, way, self._settings.origin)
        if why:
            self._db.write(lambda tx: deliveries.drop(tx, sending, why, way))
            return
        sending = replace(sending, body=body)
        outcome = self._attempt(sending, way, ciphertext)
        waits = self._settings.notify_waits
        wait = wait_before(sending.tries, waits, self._rng) if retry else None
        patience = self._settings.notify_failing_days * DAY
        self._db.write(
            lambda tx: deliveries.settle(
                tx, sending, outcome, way=way, wait=wait, patience=patience
            )
        )

    @property
    def lease(self) -> float:
        """The seconds for which a message belongs to who took it."""
        return self._settings.notify_timeout + SLACK

    def _can_send(self) -> bool:
        lack = f"the keystore lacks {VAULT}"
        try:
            if self.vault.opens:
                return True
        except Misconfigured as error:
            lack = error.message
        if lack != self._complaint:  # said once, not at every look
            self._complaint = lack
            _log.warning("this process sends no notifications: %s", lack)
        return False

    def _attempt(self, sending: Sending, way: Way, ciphertext: str) -> Outcome:
        began = monotonic()
        status, error = None, ""
        try:
            target = Target.opened(self.vault, sending.subscription_id, ciphertext)
            if way is Way.WEBHOOK:
                status = self._post(sending, target)
                error = "" if 200 <= status < 300 else f"The answer was {status}."
            else:
                title, text = words(sending.topic, json.loads(sending.body))
                self.apprise.send(target.url, title, text)
        except ConsoleError as failed:
            error = redact_text(failed.message)[:MAX_ERROR]
        except Exception as failed:  # noqa: BLE001 - a library's; the log of the message tells
            # Its text may hold the target: the log, which conceals it, is the place for it.
            _log.warning("a notification could not be sent", exc_info=failed)
            error = f"{type(failed).__name__}; the log of the console tells more."
        return Outcome(
            milliseconds=int((monotonic() - began) * 1_000),
            status_code=status,
            error=error,
            gone=status == GONE,
        )

    def _post(self, sending: Sending, target: Target) -> int:
        body = sending.body.encode()
        seconds = int(self._clock.now().timestamp())
        signed = signing.headers([target.secret], sending.id, seconds, body)
        answer = self._http.request(
            "POST",
            target.url,
            headers={"content-type": "application/json", **signed},
            body=body,
            timeout=self._settings.notify_timeout,
        )
        return answer.status


def _as_of_now(reader: Queries, sending: Sending, way: Way, origin: str) -> tuple[str, str]:
    """Return the body that is sent now; and why none is, since it is no news any more, or ""."""
    body = sending.body
    if sending.topic == DIGEST:
        told = digests.notices(body)
        known = outbox.facts(reader, sorted({one.checkpoint_id for one in told}))
        body = digest_body(told, known, way, origin)
        return body, "" if body else "Nothing of it is news any more."
    if sending.topic == TEST or sending.checkpoint_id is None:
        return body, ""
    point = outbox.facts(reader, [sending.checkpoint_id]).get(sending.checkpoint_id)
    return body, obsolete(Topic(sending.topic), json.loads(body)["data"]["status"], point, way)
