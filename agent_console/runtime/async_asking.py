"""``ctx.ask`` of ``async def`` handlers: the same signatures, to be awaited."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal, TypeVar, Unpack, overload

from agent_console.runtime.asking import AskOptions

T = TypeVar("T")


class AsyncAsking(ABC):
    """The base of ``AsyncJobContext``: asks people."""

    __slots__ = ()

    @overload
    async def ask(
        self,
        question: str,
        *,
        answer: type[T],
        default: T | None = None,
        **more: Unpack[AskOptions],
    ) -> T: ...

    @overload
    async def ask(
        self,
        question: str,
        *,
        choices: Sequence[str],
        several: Literal[False] = False,
        default: str | None = None,
        **more: Unpack[AskOptions],
    ) -> str: ...

    @overload
    async def ask(
        self,
        question: str,
        *,
        choices: Sequence[str],
        several: Literal[True],
        default: Sequence[str] | None = None,
        **more: Unpack[AskOptions],
    ) -> list[str]: ...

    async def ask(self, question: str, **how: Any) -> Any:
        """Ask a person and return the answer; see ``JobContext.ask``."""
        return await self._ask(question, **how)

    @abstractmethod
    async def _ask(self, question: str, **how: Any) -> Any:
        """Ask, on a thread."""
