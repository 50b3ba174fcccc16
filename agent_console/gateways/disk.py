"""How much room the disk has."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes of the file system that holds a folder."""

    free: int
    total: int


def room(folder: Path) -> Room | None:
    """Return the room where ``folder`` is, or will be; None where that cannot be told."""
    for place in (folder.absolute(), *folder.absolute().parents):
        try:
            usage = shutil.disk_usage(place)
        except FileNotFoundError:
            continue
        except OSError:
            return None
        return Room(usage.free, usage.total)
    return None
