"""Jobs of the type ``scripted``, whose code a test writes and changes."""

from __future__ import annotations

import uuid

from tests.e2e.console import ConsoleProcess
from tests.e2e.work import Work


class Script:
    """The code of one job."""

    def __init__(self, console: ConsoleProcess, work: Work, *lines: str) -> None:
        self.name = f"{uuid.uuid4().hex}.txt"
        self._file = console.workspace / self.name
        self.says(*lines)
        self.data = {"script": self.name, "amount": 1}
        self.job = work.enqueue("scripted", self.data, "Pay the invoices")

    def says(self, *lines: str) -> None:
        """Change the code."""
        self._file.write_text("\n".join(lines), encoding="utf-8")


def parked(console: ConsoleProcess, work: Work) -> Script:
    """Return the script of a job that was approved by one code and met another."""
    script = Script(console, work, "step read", "approve Pay", "step pay")
    checkpoint = work.open_checkpoint(script.job)
    script.says("step read", "approve Send", "step send")
    work.approve(checkpoint)
    work.eventually(lambda: work.job(script.job)["status"] == "PARKED", "a parked job")
    return script
