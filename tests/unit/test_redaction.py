from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_console.domain.redaction import REDACTED, conceal, names_secret, redact, redact_text

CANARY = "Canary7hunter2Canary7hunter2Canary7"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f'"authorization": "Basic {CANARY}"',
        f"Authorization: {CANARY}",
        f"curl -H 'X-Auth-Token: {CANARY}'",
        f"Cookie: theme=dark; ac_session={CANARY}",
        f"Set-Cookie: __Host-ac_session={CANARY}; Secure",
        f"postgresql://agent:{CANARY}@db.example/console",
        f"https://{CANARY}@errors.example/1",
        f"https://example/?api_key={CANARY}&page=2",
        f"password={CANARY}",
        f"DB_PASSWORD='{CANARY}'",
        f'{{"client_secret": "{CANARY}"}}',
        f"access-token: {CANARY}",
        f"ac_0123456789ab_{CANARY}",
        f"ghp_{CANARY}",
        f"glpat-{CANARY}",
        f"sk-proj-{CANARY}",
        f"xoxb-{CANARY}",
        f"hf_{CANARY}",
        f"eyJhbGciOiJIUzI1.{CANARY}.{CANARY}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{CANARY}",
    ],
)
def test_secrets_in_texts_are_taken_out(text: str) -> None:
    redacted = redact_text(text)
    assert CANARY not in redacted
    assert REDACTED in redacted
    assert redact_text(redacted) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "12 rows in, 9 out",
        "basic understanding of the bearer market",
        "max_tokens=4096",
        "see https://docs.example/page?section=tokens",
        "job_0197f3c2 finished; sha256 e3b0c44298fc1c149afbf4c8996fb924",
        "def authorize(actor, permission): ...",
        "mail to ana@example.com",
    ],
)
def test_ordinary_texts_stay(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "key",
    ["password", "userPassword", "API_KEY", "apiKey", "X-Auth-Token", "clientSecret", "cookie",
     "Set-Cookie", "authorization", "privateKey", "refreshToken", "sentry_dsn", "sessionId"],
)  # fmt: skip
def test_names_of_secrets(key: str) -> None:
    assert names_secret(key)
    assert redact({key: CANARY}) == {key: REDACTED}
    assert redact({key: {"deep": [CANARY]}}) == {key: REDACTED}


@pytest.mark.parametrize(
    "key",
    ["maxTokens", "total_tokens", "tokenCount", "author", "idempotencyKey", "payloadDigest",
     "description", "keyboard", "passenger"],
)  # fmt: skip
def test_names_of_other_things(key: str) -> None:
    assert redact({key: 5}) == {key: 5}


def test_what_the_console_holds_is_taken_out_wherever_it_stands() -> None:
    key = "-----BEGIN X-----\nq8fZ7c1LhV0m4t2w\n-----END X-----"
    said = "the model said: bad key plain-words-4711, see q8fZ7c1LhV0m4t2w"
    assert redact_text(said) == said
    for secret in ("plain-words-4711", "plain-words-4711-longer", key, "short", "", None):
        conceal(secret)
    assert redact_text(said) == f"the model said: bad key {REDACTED}, see {REDACTED}"
    assert redact_text("plain-words-4711-longer!") == f"{REDACTED}!"
    assert redact_text("a short text") == "a short text"
    assert redact({"note": ["plain-words-4711"]}) == {"note": [REDACTED]}


def test_the_replacement_is_never_replaced() -> None:
    conceal("redacted")
    conceal(REDACTED)
    assert redact_text("token=abc") == f"token={REDACTED}"


def test_memory_of_secrets_is_bounded() -> None:
    for number in range(1_100):
        conceal(f"one-of-many-{number:05}")
    assert redact_text("one-of-many-01099 one-of-many-00000") == f"{REDACTED} one-of-many-00000"


def test_values_are_copied_not_changed() -> None:
    value = {"user": "ana", "files": [{"content": f"token={CANARY}"}], "pair": ("a", 1)}
    assert redact(value) == {
        "user": "ana",
        "files": [{"content": f"token={REDACTED}"}],
        "pair": ("a", 1),
    }
    assert value["files"] == [{"content": f"token={CANARY}"}]


def test_empty_secrets_stay_empty() -> None:
    assert redact({"password": None, "token": ""}) == {"password": None, "token": ""}


def test_any_depth_ends() -> None:
    value: list[object] = []
    value.append(value)
    assert REDACTED in str(redact(value))


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact_text(redact_text(text)) == redact_text(text)


@pytest.mark.parametrize(
    "text",
    ["a" * 200_000, "token=" * 40_000, "-----BEGIN PRIVATE KEY-----" * 5_000, "a://" * 50_000,
     "bearer " * 30_000, "eyJ" * 70_000, "password:" + " " * 200_000, "a-" * 100_000],
)  # fmt: skip
def test_hostile_texts_cost_linear_time(text: str) -> None:
    started = time.perf_counter()
    redact_text(text)
    assert time.perf_counter() - started < 3
