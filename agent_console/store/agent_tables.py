"""The tables of agents: their documents, templates, usage and live text; see ``store.tables``."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, Column, Index, Integer, Text, text
from sqlmodel import Field, SQLModel


class ContextDocument(SQLModel, table=True):
    """``context_documents``: texts that agents work from; ``version`` is the latest one.

    ``first_job_id`` is the first job that was told to work from it; with one it stays for good.
    """

    __tablename__: ClassVar[str] = "context_documents"
    __table_args__ = (Index("ix_context_documents_project_id", "project_id", text("id DESC")),)

    id: str = Field(sa_column=Column(Text, primary_key=True))
    title: str = Field(sa_type=Text)
    project_id: str | None = Field(default=None, sa_type=Text)
    media_type: str = Field(sa_type=Text)
    version: int = Field(sa_type=Integer)
    created_by: str | None = Field(default=None, sa_type=Text)
    created_by_name: str | None = Field(default=None, sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    updated_at: int = Field(sa_type=BigInteger)
    archived_at: int | None = Field(default=None, sa_type=BigInteger)
    first_job_id: str | None = Field(default=None, sa_type=Text)


class ContextDocumentVersion(SQLModel, table=True):
    """``context_document_versions``: every text a document has had; rows are never changed."""

    __tablename__: ClassVar[str] = "context_document_versions"

    document_id: str = Field(sa_type=Text, primary_key=True, foreign_key="context_documents.id")
    version: int = Field(sa_type=Integer, primary_key=True)
    content: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text)  # SHA-256 of the UTF-8 content
    size: int = Field(sa_type=BigInteger)  # bytes of UTF-8
    created_by: str | None = Field(default=None, sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)


class ConfigurationTemplate(SQLModel, table=True):
    """``configuration_templates``: task configurations that an account keeps to use again."""

    __tablename__: ClassVar[str] = "configuration_templates"
    __table_args__ = (
        Index("uq_configuration_templates_name", "owner_id", "agent_type", "name", unique=True),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    name: str = Field(sa_type=Text)
    agent_type: str = Field(sa_type=Text)
    task_configuration: str = Field(sa_type=Text)
    approval_strategy: str | None = Field(default=None, sa_type=Text)
    owner_id: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)


class JobUsage(SQLModel, table=True):
    """``job_usage``: what a model call of a job cost; ``cost_micros`` is millionths of a dollar."""

    __tablename__: ClassVar[str] = "job_usage"

    job_id: str = Field(sa_type=Text, primary_key=True, foreign_key="ai_jobs.id")
    position: int = Field(sa_type=Integer, primary_key=True)
    model: str = Field(sa_type=Text)
    input_tokens: int = Field(sa_type=BigInteger)
    output_tokens: int = Field(sa_type=BigInteger)
    cost_micros: int = Field(sa_type=BigInteger)
    at: int = Field(sa_type=BigInteger)


class JobPreview(SQLModel, table=True):
    """``job_previews``: the end of what the run with ``token`` is writing; gone when it ends."""

    __tablename__: ClassVar[str] = "job_previews"

    job_id: str = Field(sa_type=Text, primary_key=True, foreign_key="ai_jobs.id")
    token: int = Field(sa_type=BigInteger)
    text: str = Field(sa_type=Text)
    at: int = Field(sa_type=BigInteger)
