"""Seals of the journal, pruning behind them, and what deleting by age needs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

REFUSAL = "audit_logs is append-only"
SEALED = "audit_seals is append-only"
# What of a seal may never change, whatever happens to the rows it covers.
FIXED = ("number", "first_seq", "last_seq", "newest_at", "sealed_at", "previous", "hash")


def _seals() -> None:
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "audit_seals",
        sa.Column("number", serial, autoincrement=True, nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("newest_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("pruned_at", sa.BigInteger(), nullable=True),
        sa.Column("anchor", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("mac", sa.Text(), nullable=False),
        sa.Column("prints", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("uq_audit_seals_last", "audit_seals", ["last_seq"], unique=True)
    _partial("ix_audit_seals_held", "audit_seals", ["number"], "count > 0")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


# A row may go when the seal that covers it is pruned and no longer lists it.
_UNLISTED = (
    "EXISTS (SELECT 1 FROM audit_seals s WHERE s.last_seq ="
    " (SELECT min(c.last_seq) FROM audit_seals c WHERE c.last_seq >= {row}.seq)"
    " AND s.first_seq <= {row}.seq AND s.pruned_at IS NOT NULL AND {unlisted})"
)


def _triggers_sqlite() -> None:
    unlisted = _UNLISTED.format(row="OLD", unlisted="instr(s.prints, ',' || OLD.seq || ':') = 0")
    op.execute("DROP TRIGGER audit_logs_no_delete")
    op.execute(
        "CREATE TRIGGER audit_logs_no_delete BEFORE DELETE ON audit_logs"
        f" WHEN NOT {unlisted} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    )
    changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in FIXED)
    op.execute(
        "CREATE TRIGGER audit_seals_no_update BEFORE UPDATE ON audit_seals"
        f" WHEN {changed} OR NEW.pruned_at IS NULL OR NEW.count > OLD.count"
        f" BEGIN SELECT RAISE(ABORT, '{SEALED}'); END"
    )
    op.execute(
        "CREATE TRIGGER audit_seals_no_delete BEFORE DELETE ON audit_seals"  # noqa: S608 - of constants
        " WHEN OLD.count > 0 OR NOT EXISTS"
        " (SELECT 1 FROM audit_seals a WHERE a.anchor = 1 AND a.number > OLD.number)"
        f" BEGIN SELECT RAISE(ABORT, '{SEALED}'); END"
    )


def _raise(message: str) -> str:
    return f"RAISE EXCEPTION '{message}' USING ERRCODE = 'restrict_violation';"


def _triggers_postgresql() -> None:
    unlisted = _UNLISTED.format(
        row="gone", unlisted="position(',' || gone.seq || ':' in s.prints) = 0"
    )
    op.execute("DROP TRIGGER audit_logs_append_only ON audit_logs")
    op.execute(
        "CREATE TRIGGER audit_logs_append_only BEFORE UPDATE OR TRUNCATE ON audit_logs"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_logs_append_only()"
    )
    op.execute(
        "CREATE FUNCTION audit_logs_pruned() RETURNS trigger"  # noqa: S608 - of constants
        " LANGUAGE plpgsql AS $$ BEGIN"
        f" IF EXISTS (SELECT 1 FROM gone WHERE NOT {unlisted}) THEN {_raise(REFUSAL)}"
        " END IF; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_logs_pruned AFTER DELETE ON audit_logs"
        " REFERENCING OLD TABLE AS gone"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_logs_pruned()"
    )
    changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in FIXED)
    op.execute(
        "CREATE FUNCTION audit_seals_append_only() RETURNS trigger"  # noqa: S608 - of constants
        " LANGUAGE plpgsql AS $$ BEGIN"
        f" IF TG_OP = 'UPDATE' THEN IF {changed} OR NEW.pruned_at IS NULL"
        f" OR NEW.count > OLD.count THEN {_raise(SEALED)} END IF; RETURN NEW; END IF;"
        " IF TG_OP = 'DELETE' AND OLD.count = 0 AND EXISTS"
        " (SELECT 1 FROM audit_seals a WHERE a.anchor = 1 AND a.number > OLD.number)"
        f" THEN RETURN OLD; END IF; {_raise(SEALED)} END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_seals_append_only BEFORE UPDATE OR DELETE ON audit_seals"
        " FOR EACH ROW EXECUTE FUNCTION audit_seals_append_only()"
    )
    op.execute(
        "CREATE TRIGGER audit_seals_no_truncate BEFORE TRUNCATE ON audit_seals"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_seals_append_only()"
    )


def upgrade() -> None:
    _seals()
    _partial(
        "ix_ai_jobs_finished",
        "ai_jobs",
        ["status", "completed_at", "id"],
        "completed_at IS NOT NULL",
    )
    # Deleting a job asks for its conversations; the unique indexes are of other conditions.
    _partial("ix_chat_sessions_job", "chat_sessions", ["job_id"], "job_id IS NOT NULL")
    op.add_column("idempotency_keys", sa.Column("expires_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_idempotency_keys_subject", "idempotency_keys", ["subject_id"])
    _partial(
        "ix_idempotency_keys_expiry", "idempotency_keys", ["expires_at"], "expires_at IS NOT NULL"
    )
    if op.get_bind().dialect.name == "sqlite":
        _triggers_sqlite()
    else:
        _triggers_postgresql()


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_logs_no_delete")
        op.execute(
            "CREATE TRIGGER audit_logs_no_delete BEFORE DELETE ON audit_logs"
            f" BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
    else:
        op.execute("DROP TRIGGER audit_logs_pruned ON audit_logs")
        op.execute("DROP FUNCTION audit_logs_pruned()")
        op.execute("DROP TRIGGER audit_logs_append_only ON audit_logs")
        op.execute(
            "CREATE TRIGGER audit_logs_append_only"
            " BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_logs"
            " FOR EACH STATEMENT EXECUTE FUNCTION audit_logs_append_only()"
        )
    op.drop_index("ix_idempotency_keys_expiry", "idempotency_keys")
    op.drop_index("ix_idempotency_keys_subject", "idempotency_keys")
    op.drop_column("idempotency_keys", "expires_at")
    op.drop_index("ix_chat_sessions_job", "chat_sessions")
    op.drop_index("ix_ai_jobs_finished", "ai_jobs")
    op.drop_table("audit_seals")  # its triggers go with it
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_seals_append_only()")
