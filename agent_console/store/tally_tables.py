"""Tables of the tallies: what each commit added, the sums, and the sums by slot of time."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, Column, Integer, Text
from sqlmodel import Field, SQLModel


class TallyDelta(SQLModel, table=True):
    """``tally_deltas``: what commits have added (``at`` in microseconds); a sweep adds it up.

    Rows of one's own: concurrent commits never wait for each other's sums.
    """

    __tablename__: ClassVar[str] = "tally_deltas"

    seq: int | None = Field(
        default=None,
        sa_column=Column(
            BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
    )
    at: int = Field(sa_type=BigInteger)
    name: str = Field(sa_type=Text)
    labels: str = Field(sa_type=Text)
    value: float


class Tally(SQLModel, table=True):
    """``tallies``: sums that would cost a scan to count; true together with the deltas.

    A sum is that of all shards: commits added to one of several before there were deltas, and
    what is added up now goes to the first.
    """

    __tablename__: ClassVar[str] = "tallies"

    name: str = Field(sa_type=Text, primary_key=True)
    labels: str = Field(sa_type=Text, primary_key=True)  # "a|b" in the order of the metric
    shard: int = Field(sa_type=Integer, primary_key=True)
    value: float


class TallySlot(SQLModel, table=True):
    """``tally_slots``: the same sums by slot of time, for charts; old slots are pruned.

    ``slot`` counts slots of ``width`` seconds since 1970.
    """

    __tablename__: ClassVar[str] = "tally_slots"

    width: int = Field(sa_type=Integer, primary_key=True)
    slot: int = Field(sa_type=BigInteger, primary_key=True)
    name: str = Field(sa_type=Text, primary_key=True)
    labels: str = Field(sa_type=Text, primary_key=True)
    shard: int = Field(sa_type=Integer, primary_key=True)
    value: float
