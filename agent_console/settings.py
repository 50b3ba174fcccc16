"""All settings, read once from the environment and validated with messages that name them."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AliasChoices, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from agent_console.domain.destinations import allowed_host, name_server
from agent_console.domain.errors import Misconfigured
from agent_console.domain.jobs import JobStatus
from agent_console.domain.retention import Keep, RetentionPolicy, parse_age
from agent_console.domain.risk import CONFIDENT, DOUBTFUL
from agent_console.domain.risk_rules import (
    ASSESSORS,
    MAX_BYTES,
    MAX_FILES,
    MAX_LINES,
    RiskPolicy,
)


def _numbers(text: str) -> list[int]:
    """Return the whole numbers of ``1,2,3``; none of an empty text."""
    return [int(part) for part in text.split(",") if part.strip()]


def _named(plain: str) -> AliasChoices:
    """Read the conventional name (``PORT``) instead of the prefixed one."""
    return AliasChoices(plain, plain.lower())


class Settings(BaseSettings):
    """The console's settings; frozen, made once by the composition root and passed down.

    Durations are seconds unless the name says otherwise.
    """

    model_config = SettingsConfigDict(
        env_prefix="AGENT_CONSOLE_", frozen=True, extra="ignore", populate_by_name=True
    )

    port: int = Field(3000, ge=1, le=65535, validation_alias=_named("PORT"))
    host: str = Field("127.0.0.1", validation_alias=_named("HOST"))
    public_url: str = Field("", validation_alias=_named("PUBLIC_URL"))
    database_url: str = Field("", validation_alias=_named("DATABASE_URL"), repr=False)
    redis_url: str | None = Field(None, validation_alias=_named("REDIS_URL"), repr=False)
    sentry_dsn: str | None = Field(None, validation_alias=_named("SENTRY_DSN"), repr=False)

    data_dir: Path = Path("data")
    workspace: Path | None = None
    worker: Literal["on", "off"] = "on"
    poll_interval: float = Field(5.0, ge=0.1, le=300)
    max_concurrent_jobs: int = Field(3, ge=1, le=256)
    worker_timeout: float = Field(15.0, ge=3, le=3600)
    drain_timeout: float = Field(25.0, ge=0, le=3600)
    max_claims: int = Field(5, ge=1, le=1000)
    self_approval: Literal["auto", "never", "always"] = "auto"
    undo_seconds: float = Field(5.0, ge=0, le=60)
    handlers: Annotated[tuple[str, ...], NoDecode] = ()
    agents: Path | None = None
    agent_model: str = ""
    agent_base_url: str = ""
    agent_stream: bool = True
    risk_assessors: Annotated[tuple[str, ...], NoDecode] = ASSESSORS
    risk_max_files: int = Field(MAX_FILES, ge=1, le=10_000)
    risk_max_lines: int = Field(MAX_LINES, ge=1, le=1_000_000)
    risk_max_bytes: int = Field(MAX_BYTES, ge=1024, le=64 * 1024 * 1024)
    risk_confident: float = Field(CONFIDENT, ge=0, le=1)
    risk_doubtful: float = Field(DOUBTFUL, ge=0, le=1)
    http_allow: Annotated[tuple[str, ...], NoDecode] = ()
    http_allow_private: Annotated[tuple[str, ...], NoDecode] = ()
    http_timeout: float = Field(30.0, ge=0.1, le=600)
    http_max_response: int = Field(1_048_576, ge=1024, le=64 * 1024 * 1024)  # bytes
    http_nameserver: str = ""
    http_signing_keys: Annotated[tuple[str, ...], NoDecode] = ()
    http_breaker_failures: int = Field(5, ge=1, le=1000)
    http_breaker_seconds: float = Field(30.0, ge=0.1, le=3600)
    notify_schemes: Annotated[tuple[str, ...], NoDecode] = (
        "mailto", "mailtos", "slack", "workflows", "discord", "tgram",
    )  # fmt: skip
    notify_timeout: float = Field(10.0, ge=1, le=120)
    notify_retries: str = "5,30,120,600,3600,21600"
    notify_reminders: str = "50,10"  # percent of the time that a checkpoint has
    notify_failing_days: float = Field(3.0, ge=0.01, le=365)
    notify_keep_days: float = Field(30.0, ge=1, le=3650)
    pool_min: int = Field(2, ge=1, le=200)
    pool_max: int = Field(20, ge=1, le=500)
    statement_timeout: float = Field(30.0, ge=1, le=3600)
    connect_timeout: float = Field(5.0, ge=1, le=60)
    busy_timeout: float = Field(10.0, ge=0.1, le=120)
    max_body: int = Field(1_048_576, ge=1024, le=64 * 1024 * 1024)  # bytes
    session_idle: float = Field(1800.0, ge=60)
    session_lifetime: float = Field(43_200.0, ge=300)
    trusted_proxy_hops: int = Field(0, ge=0, le=10)
    metrics_token: str | None = Field(None, repr=False)
    keystore: Literal["file", "keyring", "environment"] = "file"
    keystore_key_file: Path | None = None
    keystore_passphrase: str | None = Field(None, repr=False)
    retention_completed: str = "90d"
    retention_failed: str = "180d"
    retention_canceled: str = "90d"
    retention_keep_completed: int | None = Field(None, ge=1)
    retention_keep_failed: int | None = Field(None, ge=1)
    retention_keep_canceled: int | None = Field(None, ge=1)
    retention_journal: str = "400d"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_json: bool = False

    @field_validator(
        "handlers",
        "risk_assessors",
        "http_allow",
        "http_allow_private",
        "http_signing_keys",
        "notify_schemes",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("risk_assessors")
    @classmethod
    def _known_assessors(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value == ("none",):
            return ()
        unknown = [one for one in value if one not in ASSESSORS]
        if unknown or not value:
            named = f"{unknown[0]!r} is no assessor; " if unknown else ""
            raise ValueError(f"{named}use some of {', '.join(ASSESSORS)}, or none alone")
        return value

    @field_validator("http_allow")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(allowed_host(entry).label for entry in value)

    @field_validator("http_allow_private")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ip_network(entry)) for entry in value)

    @field_validator("http_nameserver")
    @classmethod
    def _name_server(cls, value: str) -> str:
        return str(name_server(value)) if value else value

    @field_validator("notify_schemes")
    @classmethod
    def _schemes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return () if value == ("none",) else tuple(one.lower() for one in value)

    @field_validator("notify_retries")
    @classmethod
    def _waits(cls, value: str) -> str:
        if not all(0 < wait <= 604_800 for wait in _numbers(value)):
            raise ValueError("use seconds between 1 and 604800, such as 5,30,120")
        return value

    @field_validator("notify_reminders")
    @classmethod
    def _percents(cls, value: str) -> str:
        if not all(percent in range(1, 100) for percent in _numbers(value)):
            raise ValueError("use percents between 1 and 99, such as 50,10")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator(
        "redis_url",
        "sentry_dsn",
        "metrics_token",
        "workspace",
        "agents",
        "keystore_key_file",
        "keystore_passphrase",
        "retention_keep_completed",
        "retention_keep_failed",
        "retention_keep_canceled",
        mode="before",
    )
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator(
        "retention_completed", "retention_failed", "retention_canceled", "retention_journal"
    )
    @classmethod
    def _age(cls, value: str) -> str:
        parse_age(value)
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value.startswith("postgres://"):  # the form many hosts hand out
            value = "postgresql://" + value.removeprefix("postgres://")
        scheme = value.split("://", 1)[0]
        if value and scheme not in {"sqlite", "postgresql", "postgresql+psycopg2"}:
            raise ValueError("use sqlite:///path/to/file.db or postgresql://user@host/name")
        return value

    @field_validator("public_url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        value = value.rstrip("/")
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.netloc or parts.path):
            raise ValueError("use scheme and host only, such as https://console.example.com")
        return value

    @model_validator(mode="after")
    def _pool_order(self) -> Settings:
        if self.pool_min > self.pool_max:
            raise ValueError("AGENT_CONSOLE_POOL_MIN must not be above AGENT_CONSOLE_POOL_MAX")
        return self

    @model_validator(mode="after")
    def _confidence_order(self) -> Settings:
        if self.risk_doubtful > self.risk_confident:
            raise ValueError(
                "AGENT_CONSOLE_RISK_DOUBTFUL must not be above AGENT_CONSOLE_RISK_CONFIDENT"
            )
        return self

    @property
    def notify_waits(self) -> tuple[float, ...]:
        """The seconds between the tries of a notification."""
        return tuple(_numbers(self.notify_retries))

    @property
    def notify_percents(self) -> tuple[int, ...]:
        """At which percents of the time left reminders are sent by default."""
        return tuple(_numbers(self.notify_reminders))

    @property
    def risk_policy(self) -> RiskPolicy:
        """What the risk assessors look for, and from where on they object."""
        return RiskPolicy(
            assessors=self.risk_assessors,
            max_files=self.risk_max_files,
            max_lines=self.risk_max_lines,
            max_bytes=self.risk_max_bytes,
            confident=self.risk_confident,
            doubtful=self.risk_doubtful,
        )

    @property
    def retention(self) -> RetentionPolicy:
        """How long finished jobs and the journal are kept."""
        jobs = {
            JobStatus.COMPLETED: (self.retention_completed, self.retention_keep_completed),
            JobStatus.FAILED: (self.retention_failed, self.retention_keep_failed),
            JobStatus.CANCELED: (self.retention_canceled, self.retention_keep_canceled),
        }
        return RetentionPolicy(
            jobs={s: Keep(seconds=parse_age(age), count=n) for s, (age, n) in jobs.items()},
            journal=Keep(seconds=parse_age(self.retention_journal)),
        )

    @property
    def origin(self) -> str:
        """The address people type, without a trailing slash; the one allowed origin."""
        if self.public_url:
            return self.public_url
        host = "localhost" if self.host in {"127.0.0.1", "0.0.0.0", "::", "::1"} else self.host  # noqa: S104
        return f"http://{host}:{self.port}"

    @property
    def database(self) -> str:
        """The database URL; SQLite in the data directory when none is set."""
        if self.database_url:
            return self.database_url
        return f"sqlite:///{(self.data_dir / 'agent_console.db').resolve()}"

    @property
    def workspace_root(self) -> Path:
        """The root of the path sandbox, absolute."""
        return (self.workspace or self.data_dir / "workspace").resolve()

    def secret_values(self) -> list[str]:
        """Return what must be shown nowhere: tokens, passphrases, passwords in addresses."""
        addresses = (self.database_url, self.redis_url, self.sentry_dsn)
        passwords = (urlsplit(address).password for address in addresses if address)
        given = (self.metrics_token, self.keystore_passphrase, *passwords)
        quoted = [value for value in given if value]
        return quoted + [unquote(value) for value in quoted if unquote(value) != value]


def variable(field: str) -> str:
    """Return the environment variable that sets ``field``."""
    alias = Settings.model_fields[field].validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return f"AGENT_CONSOLE_{field.upper()}"


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        Misconfigured: a value is not allowed; the message names variable, value and rule.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise Misconfigured("\n".join(_sentence(dict(e)) for e in error.errors())) from None


_SECRET = {"database_url", "redis_url", "sentry_dsn", "metrics_token", "keystore_passphrase"}


def _sentence(error: dict[str, object]) -> str:
    location = error["loc"]
    name = str(location[0]) if isinstance(location, tuple) and location else ""
    field = next((f for f in Settings.model_fields if name.lower() in {f, variable(f).lower()}), "")
    if not field:
        return str(error["msg"])
    shown = "(hidden)" if field in _SECRET else repr(error["input"])
    return f"{variable(field)}={shown} is not allowed: {error['msg']}"
