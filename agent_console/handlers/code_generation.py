"""``code-generation``: shows the diff against the workspace, writes only what was approved.

Approval is bound to what the files were when they were shown: if one changed in the meantime,
nothing is written and the new diff is put up for review.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from mimetypes import MimeTypes
from typing import TypedDict

from pydantic import Field, ValidationError, field_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from agent_console import (
    FileChange,
    Invalid,
    JobContext,
    Json,
    NonRetryable,
    RetryPolicy,
    StaleBase,
    TooLarge,
    Workspace,
    WorkspacePath,
    check_paths,
    handler,
)
from agent_console.handlers.inputs import Input

MAX_FILES = 100
MAX_REVIEW = 900_000  # bytes of text before and after that one checkpoint can show
_NAMED = 5  # files the action sentence names
_DONE = {"create": "created", "modify": "modified"}
_MEDIA_TYPES = MimeTypes()  # the built-in table: the same on every machine
for _ending, _type in ((".md", "text/markdown"), (".yaml", "text/yaml"), (".yml", "text/yaml")):
    _MEDIA_TYPES.add_type(_type, _ending)
_TEXTUAL = ("text/", "application/json", "application/javascript", "application/xml")


class GeneratedFile(Input):
    """One file as it shall be."""

    path: WorkspacePath = Field(
        title="Path",
        description="Relative to the workspace, with / between directories.",
        examples=["src/greeting.py"],
    )
    content: str = Field(
        max_length=500_000, title="Content", description="The whole text of the file."
    )


class CodeGeneration(Input):
    """Files to write, and why."""

    files: list[GeneratedFile] = Field(
        min_length=1, max_length=MAX_FILES, title="Files", description="Created or replaced."
    )
    description: str = Field(
        default="",
        max_length=2_000,
        title="Description",
        description="Why these files change; shown to the reviewer.",
        examples=["Add a greeting"],
    )

    @field_validator("files")
    @classmethod
    def _distinct(cls, files: list[GeneratedFile]) -> list[GeneratedFile]:
        try:
            check_paths([file.path for file in files])
        except Invalid as error:
            raise ValidationError.from_exception_data("files", _line_errors(error)) from None
        return files


class _Base(TypedDict):
    """A file as it was when it was shown: None where there was none."""

    content: str | None
    digest: str | None


@handler(
    "code-generation",
    input=CodeGeneration,
    version="1",
    title="Code generation",
    description="Shows the difference to the workspace, waits for approval, then writes the files.",
    retry=RetryPolicy(max_attempts=5, never=(Invalid, TooLarge)),
    examples=[
        {
            "description": "Add a greeting and say so in the notes",
            "files": [
                {
                    "path": "src/greeting.py",
                    "content": 'def greet(name: str) -> str:\n    return f"Hello, {name}!"\n',
                },
                {"path": "NOTES.md", "content": "# Notes\n\n- greeting.py greets by name.\n"},
            ],
        }
    ],
)
def code_generation(ctx: JobContext) -> dict[str, Json]:
    """Ask with the real diff until what was approved still fits, write it, return the files."""
    request: CodeGeneration = ctx.input
    wanted = {file.path: file.content for file in request.files}
    statuses: dict[str, str] = dict.fromkeys(wanted, "unchanged")
    while True:
        base = ctx.step("read the workspace", read_base, ctx.workspace, list(wanted))
        pending = {p: text for p, text in wanted.items() if base[p]["content"] != text}
        if not pending:
            ctx.info("Nothing to write: every file is already as wanted.")
            break
        ctx.log(f"Compared {_count(wanted)} with the workspace: {len(pending)} to write")
        _ask(ctx, request.description, pending, base)
        changed = ctx.step("write the files", write_files, ctx.workspace, pending, base)
        if not changed:
            ctx.log(f"Wrote {_count(pending)}")
            statuses |= {path: _DONE[_verb(base[path])] for path in pending}
            break
        ctx.log(f"Changed since the review, asking again: {', '.join(changed)}", level="WARNING")
    return {"files": [_publish(ctx, path, wanted[path], statuses[path]) for path in wanted]}


def read_base(workspace: Workspace, paths: Sequence[str]) -> dict[str, _Base]:
    """Return what each path holds now, with its digest."""
    base: dict[str, _Base] = {}
    for path in paths:
        content = workspace.read(path)
        base[path] = {"content": content, "digest": None if content is None else _sha256(content)}
    return base


def write_files(
    workspace: Workspace, files: Mapping[str, str], base: Mapping[str, _Base]
) -> list[str]:
    """Write all of ``files`` if they still are as in ``base``; return the paths that are not.

    Safe to repeat: files that already have their new text count as written.
    """
    try:
        workspace.write_all(files, expect={path: base[path]["digest"] for path in files})
    except StaleBase as stale:
        return list(stale.paths)
    return []


def describe_action(files: Sequence[str], base: Mapping[str, _Base]) -> str:
    """Return what will happen: ``Write 2 files: create src/a.py, modify README.md``."""
    named = ", ".join(f"{_verb(base[path])} {path}" for path in files[:_NAMED])
    more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
    return f"Write {_count(files)}: {named}{more}"


def _count(files: Collection[str]) -> str:
    return f"{len(files)} {'file' if len(files) == 1 else 'files'}"


def media_type(path: str) -> str:
    """Return the media type of a text file by its ending; ``.ts`` is no video here."""
    guess = _MEDIA_TYPES.guess_type(path)[0] or ""
    return guess if guess.startswith(_TEXTUAL) else "text/plain"


def _ask(
    ctx: JobContext, description: str, pending: Mapping[str, str], base: Mapping[str, _Base]
) -> None:
    size = sum(len(text.encode()) for text in pending.values())
    size += sum(len((base[path]["content"] or "").encode()) for path in pending)
    if size > MAX_REVIEW:
        raise NonRetryable(
            f"The changes hold {size:,} bytes of text; a checkpoint can show {MAX_REVIEW:,}. "
            "Split them over several jobs."
        )
    files: list[Json] = [
        {
            "path": path,
            "change": _verb(base[path]),
            "bytes": len(text.encode()),
            "digest": _sha256(text),
            "baseDigest": base[path]["digest"],
        }
        for path, text in pending.items()
    ]
    ctx.approve(
        description or "Review the changes before they are written.",
        action=describe_action(list(pending), base),
        data={"description": description, "files": files},
        changes=[FileChange(path, base[path]["content"], text) for path, text in pending.items()],
    )


def _publish(ctx: JobContext, path: str, content: str, status: str) -> Json:
    digest = _sha256(content)
    artifact = ctx.artifact(
        path,
        content,
        type="file",
        media_type=media_type(path),
        metadata={"path": path, "status": status, "digest": digest},
    )
    size = len(content.encode())
    return {"path": path, "status": status, "digest": digest, "bytes": size, "artifactId": artifact}


def _verb(base: _Base) -> str:
    return "create" if base["content"] is None else "modify"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _line_errors(error: Invalid) -> list[InitErrorDetails]:
    """Return pydantic's form of the refused fields, below the field ``files``."""
    details: list[InitErrorDetails] = []
    for refused in error.fields:
        _, index, name = refused.field.split(".")
        problem = PydanticCustomError("path", "{reason}", {"reason": refused.message})
        details.append(InitErrorDetails(type=problem, loc=(int(index), name), input=None))
    return details
