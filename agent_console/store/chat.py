"""Writing conversations: opened, joined, spoken in, read."""

from __future__ import annotations

from agent_console.domain.access import Actor
from agent_console.domain.chat import MAX_TITLE, ChatMessage, ChatRole, NewChatMessage
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.events import Event
from agent_console.store import chat_rows
from agent_console.store.transactions import Tx

INSERT_SESSION = """
INSERT INTO chat_sessions (id, title, job_id, checkpoint_id, created_by, created_by_name, last_seq,
    created_at, updated_at)
VALUES (:id, :title, :job_id, :checkpoint_id, :by, :by_name, 0, {now}, {now})
ON CONFLICT DO NOTHING
"""

INSERT_MESSAGE = """
INSERT INTO chat_messages (session_id, seq, role, content, author_id, author_name, client_id,
    reply_to, created_at)
VALUES (:session_id, :seq, :role, :content, :author_id, :author_name, :client_id, :reply_to, {now})
"""

JOIN = """
INSERT INTO chat_participants (session_id, user_id, user_name, joined_at, read_seq)
VALUES (:session_id, :user_id, :user_name, {now}, 0)
ON CONFLICT (session_id, user_id) DO NOTHING
"""

# Only forwards, and not beyond what there is.
READ = """
UPDATE chat_participants SET read_seq = :seq
WHERE session_id = :session_id AND user_id = :user_id AND read_seq < :seq
    AND :seq <= (SELECT last_seq FROM chat_sessions WHERE id = :session_id)
"""


def create(
    tx: Tx,
    session_id: str,
    title: str,
    *,
    job_id: str | None,
    checkpoint_id: str | None,
    actor: Actor,
    who: str,
) -> tuple[str, bool]:
    """Open the conversation, or find the one there is on the same; return its id, and if it is new.

    ``who`` is the account, or what stands for one. The job and the checkpoint exist.
    """
    made = tx.execute(
        INSERT_SESSION,
        {
            "id": session_id,
            "title": title[:MAX_TITLE],
            "job_id": job_id,
            "checkpoint_id": checkpoint_id,
            "by": who,
            "by_name": actor.name,
        },
    )
    if not made:
        column = "job_id" if checkpoint_id is None else "checkpoint_id"
        alone = " AND checkpoint_id IS NULL" if checkpoint_id is None else ""
        found = tx.row(
            f"SELECT id FROM chat_sessions WHERE {column} = :on{alone}",
            {"on": checkpoint_id or job_id},
        )
        if found is None:
            raise Conflict("The conversation could not be opened; try again.")
        session_id = str(found[0])
    else:
        about = {"jobId": job_id, "checkpointId": checkpoint_id}
        tx.record(
            Event(
                action="chat.opened",
                actor=actor,
                subject_id=session_id,
                data={name: value for name, value in about.items() if value is not None},
            )
        )
    join(tx, session_id, who, actor.name)
    return session_id, bool(made)


def join(tx: Tx, session_id: str, who: str, name: str) -> bool:
    """Let ``who`` take part; say so to the others. Return whether they did not before."""
    creator = _locked(tx, session_id)[1]
    person: dict[str, object] = {"session_id": session_id, "user_id": who, "user_name": name}
    if not tx.execute(JOIN, person):
        return False
    if who != creator:
        add(tx, session_id, NewChatMessage(role=ChatRole.SYSTEM, content=f"{name} joined."))
    tx.touch("")
    return True


def say(
    tx: Tx, session_id: str, new: NewChatMessage, who: str, title: str
) -> tuple[ChatMessage, bool]:
    """Add what ``who`` says; the flag tells that it was a repetition and added nothing.

    ``title`` becomes that of a conversation which has none.

    Raises:
        NotFound: there is no such conversation.
        Conflict: the client's id was used for something else.
    """
    _locked(tx, session_id)
    if new.client_id is not None:
        known = tx.dicts(
            "SELECT * FROM chat_messages WHERE session_id = :session_id AND author_id = :who"
            " AND client_id = :client_id",
            {"session_id": session_id, "who": who, "client_id": new.client_id},
        )
        if known:
            earlier = chat_rows.message(known[0])
            if earlier.content != new.content:
                raise Conflict("This clientId was already used for another message; use a new one.")
            return earlier, True
    join(tx, session_id, who, new.author_name)
    said = add(tx, session_id, new)
    mark_read(tx, session_id, who, said.seq)
    tx.execute(
        "UPDATE chat_sessions SET title = :title WHERE id = :id AND title = ''",
        {"id": session_id, "title": title[:MAX_TITLE]},
    )
    return said, False


def answer(tx: Tx, session_id: str, new: NewChatMessage) -> ChatMessage | None:
    """Add the assistant's answer; None when that message was answered before."""
    _locked(tx, session_id)
    known = tx.row(
        "SELECT seq FROM chat_messages WHERE session_id = :session_id AND reply_to = :reply_to",
        {"session_id": session_id, "reply_to": new.reply_to},
    )
    return None if known is not None else add(tx, session_id, new)


def add(tx: Tx, session_id: str, new: NewChatMessage) -> ChatMessage:
    """Add a message under the next number; the row of the conversation is locked by the caller."""
    found = tx.row(
        "UPDATE chat_sessions SET last_seq = last_seq + 1, updated_at = {now} WHERE id = :id"
        " RETURNING last_seq",
        {"id": session_id},
    )
    if found is None:
        raise NotFound(f"There is no conversation {session_id}.")
    key: dict[str, object] = {"session_id": session_id, "seq": int(found[0])}
    values: dict[str, object] = {
        "role": new.role.value,
        "content": new.content,
        "author_id": new.author_id,
        "author_name": new.author_name,
        "client_id": new.client_id,
        "reply_to": new.reply_to,
    }
    tx.execute(INSERT_MESSAGE, key | values)
    tx.touch("")
    made = tx.dicts(
        "SELECT * FROM chat_messages WHERE session_id = :session_id AND seq = :seq", key
    )
    return chat_rows.message(made[0])


def mark_read(tx: Tx, session_id: str, who: str, seq: int) -> bool:
    """Note that ``who`` has seen everything up to ``seq``; return whether that was news."""
    marked = tx.execute(READ, {"session_id": session_id, "user_id": who, "seq": seq})
    if marked:
        tx.touch("")
    return bool(marked)


def _locked(tx: Tx, session_id: str) -> tuple[int, str]:
    """Lock the conversation's row; return its last number and who opened it.

    Raises:
        NotFound: there is no such conversation.
    """
    found = tx.row(
        "SELECT last_seq, created_by FROM chat_sessions WHERE id = :id {for_update}",
        {"id": session_id},
    )
    if found is None:
        raise NotFound(f"There is no conversation {session_id}.")
    return int(found[0]), str(found[1])
