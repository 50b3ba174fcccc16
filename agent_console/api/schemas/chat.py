"""Wire models of conversations, over REST and over the socket."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, RootModel, StrictInt, StrictStr, StringConstraints, model_validator

from agent_console.api.schemas.base import (
    In,
    Instant,
    Out,
    Pagination,
    Success,
    attributes,
    example,
)
from agent_console.domain.chat import (
    MAX_CLIENT_ID,
    MAX_MESSAGE,
    MAX_TITLE,
    ChatRole,
    ChatSessionDetail,
    NewChatSession,
)

MAX_SEQ = 2**31 - 1
_Id = Annotated[StrictStr, StringConstraints(min_length=1, max_length=200)]
_Seq = Annotated[StrictInt, Field(ge=0, le=MAX_SEQ)]
_Content = Annotated[StrictStr, StringConstraints(max_length=MAX_MESSAGE, pattern=r"\S")]
_ClientId = Annotated[
    StrictStr,
    StringConstraints(min_length=1, max_length=MAX_CLIENT_ID, pattern=r"^[\x20-\x7e]+$"),
    Field(description="Your own id of the message: sent again with the same, it is said once."),
]


class NewChatSessionIn(In):
    """A conversation on a job, on a checkpoint, or on nothing in particular."""

    model_config = example(jobId="job_01a1…")

    title: Annotated[StrictStr, StringConstraints(max_length=MAX_TITLE)] = ""
    job_id: _Id | None = None
    checkpoint_id: _Id | None = None

    @model_validator(mode="after")
    def _one_subject(self) -> NewChatSessionIn:
        if self.job_id is not None and self.checkpoint_id is not None:
            raise ValueError("name a job or a checkpoint, not both")
        return self

    def to_new_session(self) -> NewChatSession:
        """Return the domain's value."""
        return NewChatSession(
            title=self.title, job_id=self.job_id, checkpoint_id=self.checkpoint_id
        )


class NewChatMessageIn(In):
    """Something to say."""

    model_config = example(content="/status", clientId="c-1")

    content: _Content
    client_id: _ClientId | None = None


class ChatReadIn(In):
    """Up to which message you have read."""

    model_config = example(seq=7)

    seq: _Seq


class ChatSessionOut(Out):
    """A conversation as you see it; `unread` is 0 as long as you have not opened it."""

    id: str
    title: str
    job_id: str | None
    checkpoint_id: str | None
    created_by: str
    created_by_name: str
    last_seq: int
    read_seq: int
    unread: int
    preview: str
    created_at: Instant
    updated_at: Instant


class ParticipantOut(Out):
    """Somebody in the conversation."""

    id: str
    name: str
    joined_at: Instant
    read_seq: int


class ChatSessionDetailOut(ChatSessionOut):
    """A conversation with its people."""

    participants: list[ParticipantOut]

    @classmethod
    def of(cls, detail: ChatSessionDetail) -> ChatSessionDetailOut:
        """Return the wire form of ``detail``."""
        people = [ParticipantOut.model_validate(one) for one in detail.participants]
        return cls(**attributes(detail.session), participants=people)


class ChatMessageOut(Out):
    """A message; `seq` counts from 1 without gaps within the conversation.

    `replyTo` is the number of the message that the assistant answers.
    """

    session_id: str
    seq: int
    role: ChatRole
    content: str
    author_id: str | None
    author_name: str
    client_id: str | None
    reply_to: int | None
    created_at: Instant


class ChatSessionAnswer(Success):
    """The conversation."""

    session: ChatSessionDetailOut


class ChatSessionPage(Success):
    """Conversations, latest message first."""

    sessions: list[ChatSessionOut]
    pagination: Pagination


class ChatMessageAnswer(Success):
    """The message as it was kept."""

    message: ChatMessageOut


class ChatMessagePage(Success):
    """Messages in the order in which they were said."""

    messages: list[ChatMessageOut]
    pagination: Pagination


class ResumeFrame(In):
    """Send everything after message ``after``, and then what comes."""

    type: Literal["resume"]
    after: _Seq


class MessageFrame(NewChatMessageIn):
    """Say something."""

    type: Literal["message"]


class ReadFrame(ChatReadIn):
    """Note up to where this person has read."""

    type: Literal["read"]


class PingFrame(In):
    """Answer with a pong."""

    type: Literal["ping"]


class Frame(
    RootModel[
        Annotated[ResumeFrame | MessageFrame | ReadFrame | PingFrame, Field(discriminator="type")]
    ]
):
    """What a client may send over the socket."""
