"""The bridge between async handlers and the sync engine: one event loop, one thread."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from agent_console.gateways.http import HttpGateway
from agent_console.gateways.workspace import Workspace
from agent_console.runtime.async_asking import AsyncAsking
from agent_console.runtime.context import JobContext
from agent_console.runtime.entries import JobFacts
from agent_console.runtime.library import ContextLibrary

P = ParamSpec("P")
T = TypeVar("T")

CLOSING = 2.0  # seconds the handlers on the loop have to take their cancellation

_log = logging.getLogger(__name__)


class LoopThread:
    """An event loop on a thread of its own, started when the first async handler needs it."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, coroutine: object, attach: Callable[[Future[object]], None]) -> object:
        """Run ``coroutine`` on the loop and wait; ``attach`` is handed its future to cancel."""
        task = self._submit(cast("Coroutine[Any, Any, object]", coroutine))
        attach(task)
        return task.result()

    def wait_for(self, awaitable: Awaitable[T]) -> T:
        """Await ``awaitable`` on the loop from another thread and return its result."""

        async def settle() -> T:
            return await awaitable

        return self._submit(settle()).result()

    async def bridge(self, call: Callable[[], T]) -> T:
        """Make a blocking ``call`` on a thread, from the loop.

        A daemon thread per call, not a pool: a step that never returns must neither use up the
        threads of the others nor hold up the end of the process.
        """
        done: Future[T] = Future()
        done.set_running_or_notify_cancel()  # from here on the thread alone settles it
        work = functools.partial(contextvars.copy_context().run, call)
        threading.Thread(
            target=_settle, args=(done, work), name="handler-bridge", daemon=True
        ).start()
        return await asyncio.wrap_future(done)

    def close(self) -> None:
        """Cancel what is running, stop the loop and its thread."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join(CLOSING)
        if thread.is_alive():
            _log.warning("an async handler blocks its event loop; going on without it")

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        with self._lock:
            if self._loop is None:
                self._start()
            loop = cast("asyncio.AbstractEventLoop", self._loop)
            return asyncio.run_coroutine_threadsafe(coroutine, loop)

    def _start(self) -> None:
        loop = asyncio.new_event_loop()
        self._loop = loop
        self._thread = threading.Thread(
            target=_serve, args=(loop,), name="async-handlers", daemon=True
        )
        self._thread.start()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        while not _ran_until_stopped(loop):
            _log.warning("a task of an async handler asked the process to exit; it does not")
        running = asyncio.all_tasks(loop)
        for task in running:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*running, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


def _ran_until_stopped(loop: asyncio.AbstractEventLoop) -> bool:
    """Run ``loop`` until it is stopped; False: a task raised what asyncio lets through to here.

    That task has ended with its error, all others can go on.
    """
    try:
        loop.run_forever()
    except (SystemExit, KeyboardInterrupt):
        return False
    return True


def _settle(done: Future[T], work: Callable[[], T]) -> None:
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - it is the awaiting coroutine's
        done.set_exception(error)
    else:
        done.set_result(result)


def _bridged(
    method: Callable[Concatenate[JobContext, P], T],
) -> Callable[Concatenate[AsyncJobContext, P], Coroutine[Any, Any, T]]:
    """Return the async form of a ``JobContext`` method: same parameters, on a thread."""

    @functools.wraps(method)
    async def call(self: AsyncJobContext, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._loop.bridge(functools.partial(method, self._sync, *args, **kwargs))

    return call


class AsyncJobContext(AsyncAsking):
    """``JobContext`` for ``async def`` handlers: recorded calls are awaited, the rest is alike."""

    __slots__ = ("_loop", "_sync", "input", "job")

    def __init__(self, sync: JobContext, loop: LoopThread) -> None:
        """Wrap the sync context of the same run."""
        self._sync = sync
        self._loop = loop
        self.input: Any = sync.input
        self.job: JobFacts = sync.job

    async def _ask(self, question: str, **how: Any) -> Any:
        return await self._loop.bridge(functools.partial(self._sync.ask, question, **how))

    approve = _bridged(JobContext.approve)
    info = _bridged(JobContext.info)
    error = _bridged(JobContext.error)
    artifact = _bridged(JobContext.artifact)
    usage = _bridged(JobContext.usage)
    sleep = _bridged(JobContext.sleep)
    callback = _bridged(JobContext.callback)
    enqueue = _bridged(JobContext.enqueue)
    wait_for = _bridged(JobContext.wait_for)

    @property
    def context(self) -> Coroutine[Any, Any, ContextLibrary]:
        """The context documents, to be awaited: ``library = await ctx.context``."""
        return self._loop.bridge(lambda: self._sync.context)

    async def step(
        self, name: str, fn: Callable[P, Awaitable[T] | T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return the result of ``fn``, async or not, which is called once per job.

        An async ``fn`` runs on the event loop, any other on a thread. See ``JobContext.step``.
        """

        def call() -> T:
            result = fn(*args, **kwargs)
            if isinstance(result, Awaitable):
                return self._loop.wait_for(cast("Awaitable[T]", result))
            return result

        return await self._loop.bridge(lambda: self._sync.step(name, call))

    def log(self, message: str, level: str = "INFO", **data: object) -> None:
        """Add a line to the job's log; see ``JobContext.log``."""
        self._sync.log(message, level, **data)

    def progress(self, fraction: float | None, message: str = "") -> None:
        """Say how far the work is; see ``JobContext.progress``."""
        self._sync.progress(fraction, message)

    def preview(self, text: str) -> None:
        """Show what is being written now; see ``JobContext.preview``."""
        self._sync.preview(text)

    @property
    def workspace(self) -> Workspace:
        """The files this job may touch; its methods block, use them inside steps."""
        return self._sync.workspace

    @property
    def http(self) -> HttpGateway:
        """The way to other hosts; its methods block, use them inside steps."""
        return self._sync.http

    @property
    def canceled(self) -> bool:
        """Whether the run should stop."""
        return self._sync.canceled

    @property
    def idempotency_key(self) -> str:
        """``job id:position`` of the step in progress, else of the next."""
        return self._sync.idempotency_key
