"""A job type whose code is a file of the workspace, so that a test can change the code at will."""

from __future__ import annotations

import hashlib
from io import BytesIO

from PIL import Image
from pydantic import BaseModel

from agent_console import ImageChange, JobContext, Json, RetryPolicy, TextChange, handler


class Mail(BaseModel):
    """What may be edited before it goes out."""

    subject: str
    copies: int
    body: str


def picture(name: str, width: int) -> bytes:
    """Return an image of one colour, which is that of its name."""
    buffer = BytesIO()
    colour = tuple(hashlib.sha256(name.encode()).digest()[:3])
    Image.new("RGB", (width, 20), colour).save(buffer, "PNG")
    return buffer.getvalue()


@handler(
    "scripted",
    version="1",
    title="Scripted",
    description="Does line by line what a file says: a call of the record and its name.",
    retry=RetryPolicy(max_attempts=1),
)
def scripted(ctx: JobContext) -> dict[str, Json]:
    """Make the calls that the script of ``input["script"]`` names, each with a name."""
    lines = (ctx.workspace.read(str(ctx.input["script"])) or "").splitlines()
    for call, name in (line.split(" ", 1) for line in lines):
        if call == "fail":
            raise ValueError(name)
        if call == "show":
            changes = [
                ImageChange(name, picture("old", 30), picture("new", 60)),
                ImageChange("No image", None, b"<svg onload='document.title=1'/>"),
                TextChange("Draft", "We ship on Monday.\n", "We ship on *Friday*.\n"),
            ]
            ctx.approve(f"{name}?", action=f"Show {name}", changes=changes)
        elif call == "mail":
            data = {"subject": name, "copies": 1, "body": "It ships\non Monday."}
            ctx.approve(f"{name}?", action="Send a mail", data=data, edit=Mail)
        elif call == "approve":
            ctx.approve(f"{name}?", action=name, data=ctx.input)
        else:
            ctx.step(name, len, name)
    return {"lines": len(lines)}
