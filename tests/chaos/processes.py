"""Children of a process that has imported everything once: each is forked in some milliseconds.

The fork server is the standard library's. It starts no thread and opens no database.
"""

from __future__ import annotations

import multiprocessing

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.chaos.preloaded"])
