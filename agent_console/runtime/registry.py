"""Handlers by job type: the decorator that declares one and the registry that knows them all."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agent_console.domain.access import Permission
from agent_console.domain.errors import FieldError, HandlersNotLoaded, Invalid, Misconfigured
from agent_console.domain.isolation import (
    ISOLATIONS,
    LEAST_MEMORY,
    Isolation,
    bytes_of,
    size_words,
)
from agent_console.domain.jobs import Json
from agent_console.domain.limits import Limit, lane_of
from agent_console.domain.records import HandlerInfo, RetryFacts
from agent_console.domain.retry import RetryPolicy
from agent_console.domain.schedules import NewSchedule
from agent_console.domain.uniqueness import Unique

F = TypeVar("F", bound=Callable[..., object])

_MARK = "__agent_console_handler__"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerSpec:
    """A declared handler. ``timeout`` is seconds, ``memory_limit`` bytes, None for no limit."""

    job_type: str
    function: Callable[..., object]
    is_async: bool
    input_model: type[BaseModel] | None
    version: str
    retry: RetryPolicy
    title: str
    description: str
    examples: tuple[dict[str, Json], ...]
    timeout: float | None
    agent: bool = False
    limit: Limit | None = None
    unique: Unique | None = None
    needs: Permission | None = None
    isolation: Isolation = "thread"
    memory_limit: int | None = None

    @property
    def origin(self) -> str:
        """Where the function lives, for messages: ``module.function``."""
        return f"{self.function.__module__}.{self.function.__qualname__}"

    def parse(self, data: Json) -> Any:
        """Return ``data`` as the input model, or as it is when the handler has none.

        Raises:
            Invalid: names every refused field under ``inputData``.
        """
        if self.input_model is None:
            return data
        try:
            return self.input_model.model_validate(data)
        except ValidationError as error:
            raise Invalid(fields=field_errors(error, "inputData")) from None

    def unique_of(self, data: Json) -> Unique | None:
        """Return what a job on ``data`` (checked before) must be unique by.

        Raises:
            Invalid: the key that the handler makes of this input is none.
        """
        if self.unique is None:
            return None
        key: object = self.unique.key
        if callable(key):
            try:
                key = key(self.parse(data))
            except Exception as error:
                name = type(error).__name__
                message = f"the handler's function failed on this input: {name}: {error}"
                raise Invalid.field("unique.key", message) from error
        if key is None:
            return None
        if not isinstance(key, str):
            raise Invalid.field("unique.key", "the handler's function returned no text.")
        return replace(self.unique, key=key)

    def info(self) -> HandlerInfo:
        """Return what the other rooms may know of this handler."""
        schema: dict[str, Json] = {"type": "object"}
        if self.input_model is not None:
            schema = self.input_model.model_json_schema(by_alias=True)
        return HandlerInfo(
            job_type=self.job_type,
            title=self.title,
            description=self.description,
            version=self.version,
            input_schema=schema,
            examples=self.examples,
            max_attempts=self.retry.max_attempts,
            agent=self.agent,
            retry=RetryFacts(
                max_attempts=self.retry.max_attempts,
                base=self.retry.base,
                cap=self.retry.cap,
                never=tuple(kind.__name__ for kind in self.retry.never),
            ),
            limit=self.limit,
            unique=None if self.unique is None else self.unique_of,
            needs=self.needs,
            isolation=self.isolation,
            timeout=self.timeout,
            memory_limit=self.memory_limit,
        )


def field_errors(error: ValidationError, root: str) -> list[FieldError]:
    """Return one ``FieldError`` per refused field, with JSON paths below ``root``."""
    return [
        FieldError(
            ".".join([root, *(str(part) for part in item["loc"])]),
            item["msg"].removeprefix("Value error, "),
        )
        for item in error.errors(include_url=False, include_input=False)
    ]


def handler(
    job_type: str,
    *,
    input: type[BaseModel] | None = None,  # noqa: A002 - the word users of the SDK expect
    version: str | None = None,
    retry: RetryPolicy | None = None,
    title: str = "",
    description: str = "",
    examples: Sequence[dict[str, Json]] = (),
    timeout: float | timedelta | None = None,
    agent: bool = False,
    limit: Limit | None = None,
    unique: Unique | None = None,
    needs: Permission | None = None,
    isolation: Isolation = "thread",
    memory_limit: int | str | None = None,
) -> Callable[[F], F]:
    """Declare the decorated function as the handler of ``job_type``.

    The function takes a ``JobContext`` (``async def``: an ``AsyncJobContext``) and returns the
    job's output, any JSON value. ``input`` is the pydantic model of ``inputData``; ``version``
    names the code (default: derived from the function's source); ``timeout`` is seconds; the jobs
    of an ``agent`` are work sessions; ``limit`` says how many may run at once, over all workers.
    ``unique`` holds for every job of the type that says nothing else; ``needs`` is a permission
    one must have, beside creating jobs, to enqueue it. ``isolation="process"`` runs it in a
    process of its own, which is ended at its timeout whatever it does, and which cannot take the
    worker down; ``memory_limit`` is what it may allocate there, in bytes or words such as
    ``"512 MB"``.

    Raises:
        Misconfigured: the type is not usable as a name, a limit makes no sense, or an example
            does not fit ``input``.
    """

    def declare(function: F) -> F:
        spec = HandlerSpec(
            job_type=_checked_type(job_type),
            function=function,
            is_async=inspect.iscoroutinefunction(function),
            input_model=input,
            version=version or _source_version(function),
            retry=retry or RetryPolicy(),
            title=title or job_type.replace("-", " ").replace("_", " ").capitalize(),
            description=description or (inspect.getdoc(function) or "").split("\n\n", 1)[0],
            examples=tuple(examples),
            timeout=timeout.total_seconds() if isinstance(timeout, timedelta) else timeout,
            agent=agent,
            limit=limit,
            unique=unique,
            needs=needs,
            isolation=isolation,
            memory_limit=None if memory_limit is None else bytes_of(memory_limit),
        )
        _check_limits(spec)
        _check_examples(spec)
        setattr(function, _MARK, spec)
        return function

    return declare


def spec_of(candidate: object) -> HandlerSpec | None:
    """Return what ``@handler`` declared on ``candidate``, or None."""
    if not inspect.isfunction(candidate):  # attributes of other objects may be invented on demand
        return None
    spec = getattr(candidate, _MARK, None)
    return spec if isinstance(spec, HandlerSpec) else None


class Registry:
    """The handlers this process can run; implements the services' ``Catalog``."""

    def __init__(self, functions: Iterable[Callable[..., object]] = ()) -> None:
        """Register ``functions``, each declared with ``@handler``."""
        self._specs: dict[str, HandlerSpec] = {}
        self._infos: dict[str, HandlerInfo] = {}
        self.problems: list[HandlersNotLoaded] = []
        self.schedules: list[NewSchedule] = []  # that the loaded modules declare
        for function in functions:
            self.add(function)

    def add(self, function: Callable[..., object]) -> None:
        """Register one declared function; registering the same one again changes nothing.

        Raises:
            HandlersNotLoaded: it is not declared, or its type is taken by another function.
        """
        spec = spec_of(function)
        if spec is None:
            raise HandlersNotLoaded(f"{function!r} is not declared with @handler.")
        known = self._specs.get(spec.job_type)
        if known is not None and known.function is not function:
            raise HandlersNotLoaded(
                f"Job type {spec.job_type!r} is declared twice: "
                f"by {known.origin} and by {spec.origin}."
            )
        self._specs[spec.job_type] = spec
        self._infos[spec.job_type] = spec.info()

    def find(self, job_type: str) -> HandlerSpec | None:
        """Return the handler of ``job_type``, or None."""
        return self._specs.get(job_type)

    def handlers(self) -> Sequence[HandlerInfo]:
        """Return what is known of every type, by type."""
        return [self._infos[name] for name in sorted(self._infos)]

    def describe(self, job_type: str) -> HandlerInfo | None:
        """Return what is known of ``job_type``, or None."""
        return self._infos.get(job_type)

    def validate(self, job_type: str, data: dict[str, Json]) -> dict[str, Json]:
        """Return ``data`` checked, with defaults bound, under the names of the wire.

        Raises:
            Invalid: the type is unknown, or fields are refused (paths below ``inputData``).
        """
        spec = self._specs.get(job_type)
        if spec is None:
            known = ", ".join(sorted(self._specs)) or "none"
            raise Invalid.field("jobType", f"{job_type!r} is not a known job type ({known}).")
        parsed = spec.parse(data)
        if isinstance(parsed, BaseModel):
            return parsed.model_dump(mode="json", by_alias=True)
        return data

    def lane(self, job_type: str, data: dict[str, Json]) -> str | None:
        """Return the concurrency key of a job with the input ``data``; None when it has none.

        Raises:
            Invalid: it cannot be told from this input.
        """
        spec = self._specs.get(job_type)
        if spec is None or spec.limit is None or spec.limit.key is None:
            return None
        return lane_of(spec.limit, spec.parse(data))


def _checked_type(job_type: str) -> str:
    plain = job_type.replace("-", "").replace("_", "").replace(".", "")
    if not (plain.isascii() and plain.isalnum() and len(job_type) <= 64):
        raise Misconfigured(
            f"Job type {job_type!r} is not allowed: use up to 64 letters, digits, '-', '_', '.'."
        )
    return job_type


def _check_limits(spec: HandlerSpec) -> None:
    of, memory = f"of job type {spec.job_type!r}", spec.memory_limit
    if spec.isolation not in ISOLATIONS:
        raise Misconfigured(f'isolation={spec.isolation!r} {of}: use "thread" or "process".')
    if spec.timeout is not None and not 0 < spec.timeout < float("inf"):
        raise Misconfigured(f"timeout={spec.timeout!r} {of}: use seconds above 0, or None.")
    if memory is None:
        return
    if spec.isolation != "process":
        raise Misconfigured(
            f'memory_limit {of} needs isolation="process": threads share their memory.'
        )
    if memory < LEAST_MEMORY:
        raise Misconfigured(f"memory_limit {of}: use at least {size_words(LEAST_MEMORY)}.")


def _check_examples(spec: HandlerSpec) -> None:
    for number, example in enumerate(spec.examples):
        try:
            spec.parse(example)
        except Invalid as error:
            raise Misconfigured(
                f"Example {number} of job type {spec.job_type!r} does not fit: {error.message}"
            ) from None


def _source_version(function: Callable[..., object]) -> str:
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):  # made at run time: there is no source to tell versions by
        return "unversioned"
    return "src-" + hashlib.sha256(source.encode()).hexdigest()[:12]
