"""Finds handlers: built-ins, modules named in the settings, entry points of installed packages."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import logging
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from agent_console.domain.errors import HandlersNotLoaded
from agent_console.runtime.declarations import schedules_of
from agent_console.runtime.registry import Registry, spec_of

BUILT_IN = "agent_console.handlers"
ENTRY_POINTS = "agent_console.handlers"

Made = tuple[str, Callable[[], object]]  # where it comes from, and what makes it

_log = logging.getLogger(__name__)


def load_handlers(
    modules: Sequence[str] = (), *, built_in: str = BUILT_IN, made: Iterable[Made] = ()
) -> Registry:
    """Return a registry of everything that could be loaded.

    ``modules`` are dotted names or paths of ``.py`` files, ``made`` are handlers that somebody
    else makes. What fails is logged and kept as a ``HandlersNotLoaded`` in
    ``registry.problems``; the rest is usable.
    """
    registry = Registry()
    _collect(registry, built_in, lambda: _import(built_in))
    for origin, make in made:
        _collect(registry, origin, make)
    for name in modules:
        _collect(registry, name, lambda name=name: _import(name))  # type: ignore[misc]
    for point in entry_points(group=ENTRY_POINTS):
        _collect(registry, point.value, point.load)
    return registry


def _collect(registry: Registry, name: str, load: Callable[[], object]) -> None:
    try:
        found = load()
        modules = _modules(found) if isinstance(found, ModuleType) else []
        for candidate in _candidates(found, modules):
            registry.add(candidate)
        for module in modules:
            registry.schedules += schedules_of(module)
    except HandlersNotLoaded as error:
        _report(registry, error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's module may do anything
        _report(registry, HandlersNotLoaded(f"{name}: {_explain(error)}"))


def _report(registry: Registry, problem: HandlersNotLoaded) -> None:
    registry.problems.append(problem)
    _log.error("handlers not loaded: %s", problem.message)


def _modules(found: ModuleType) -> list[ModuleType]:
    """Return a module, with those in it if it is a package."""
    inner = pkgutil.iter_modules(getattr(found, "__path__", ()))
    return [found, *(importlib.import_module(f"{found.__name__}.{one.name}") for one in inner)]


def _candidates(found: object, modules: list[ModuleType]) -> list[Callable[..., object]]:
    """Return the declared functions of ``modules``, or ``found`` itself if it is none."""
    if not isinstance(found, ModuleType):
        return [found] if callable(found) else []
    members = [member for module in modules for member in vars(module).values()]
    return [member for member in members if spec_of(member) is not None]


def _import(name: str) -> ModuleType:
    if name.endswith(".py"):
        return _import_file(Path(name))
    _importable(Path.cwd())  # a console script does not have it, `python -m` does
    return importlib.import_module(name)


def _import_file(path: Path) -> ModuleType:
    path = path.expanduser().resolve()
    if not path.is_file():
        raise HandlersNotLoaded(f"{path}: there is no such file.")
    name = f"agent_console_user_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    _importable(path.parent)  # so that it may import its neighbours, as a script may
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise HandlersNotLoaded(f"{path}: is not a Python module.")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _importable(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _explain(error: BaseException) -> str:
    """Return exception type, message, file and line of the innermost frame outside importlib."""
    if isinstance(error, SyntaxError):
        where = f"{error.filename}, line {error.lineno}"
        return f"SyntaxError: {error.msg} ({where})"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "importlib" not in f.filename]
    where = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"
