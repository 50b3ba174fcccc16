from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher

from agent_console.domain.access import ROLE_PERMISSIONS, Permission, Role, local_operator
from agent_console.domain.errors import (
    Conflict,
    ConsoleError,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    Unauthenticated,
)
from agent_console.domain.records import User
from agent_console.services import passwords as passwords_module
from agent_console.services.access_base import CACHE_SECONDS
from agent_console.services.passwords import Passwords, check_password
from agent_console.services.throttle import FORGET, MAX_DELAY, Throttle, delay_after
from agent_console.testing import FakeClock
from tests.services.conftest import PASSWORD, Desk

ROOT = local_operator("root")
IDLE, LIFETIME = timedelta(minutes=30), timedelta(hours=12)


def table(desk: Desk, name: str) -> list[dict[str, Any]]:
    with desk.db.read() as reader:
        return reader.dicts(f"SELECT * FROM {name}")


# The first account.


def test_the_first_admin_comes_through_a_link_that_works_once(desk: Desk) -> None:
    access = desk.services.access
    assert access.needs_setup()
    link = access.create_setup_link()
    user = access.claim_setup(link, " Ada@Example.COM ", "Ada", PASSWORD, ip="192.0.2.1")
    assert (user.email, user.role) == ("ada@example.com", "admin")
    assert not access.needs_setup()
    with pytest.raises(Conflict, match="already has an account"):
        access.create_setup_link()
    with pytest.raises(Unauthenticated, match="used, expired or unknown"):
        access.claim_setup(link, "eve@example.com", "Eve", PASSWORD)
    assert link not in str(table(desk, "setup_links"))


def test_a_setup_link_ends_after_fifteen_minutes(desk: Desk) -> None:
    access = desk.services.access
    link = access.create_setup_link()
    desk.clock.advance(timedelta(minutes=15))
    with pytest.raises(Unauthenticated):
        access.claim_setup(link, "ada@example.com", "Ada", PASSWORD)
    assert access.needs_setup()


def test_a_bad_password_does_not_use_up_the_link(desk: Desk) -> None:
    access = desk.services.access
    link = access.create_setup_link()
    with pytest.raises(Invalid):
        access.claim_setup(link, "ada@example.com", "Ada", "short")
    assert access.claim_setup(link, "ada@example.com", "Ada", PASSWORD).name == "Ada"


def test_of_claims_that_race_one_wins(desk: Desk) -> None:
    access = desk.services.access
    links = [access.create_setup_link() for _ in range(4)] * 2
    start = threading.Barrier(len(links))

    def claim(numbered: tuple[int, str]) -> User | ConsoleError:
        start.wait()
        try:
            return access.claim_setup(numbered[1], f"u{numbered[0]}@example.com", "U", PASSWORD)
        except ConsoleError as error:
            return error

    with ThreadPoolExecutor(len(links)) as pool:
        results = list(pool.map(claim, enumerate(links)))
    assert sum(isinstance(result, User) for result in results) == 1
    losers = [result for result in results if not isinstance(result, User)]
    assert all(isinstance(loser, Conflict | Unauthenticated) for loser in losers)
    assert len(table(desk, "users")) == 1


# Sessions.


def test_signing_in_opens_a_session_that_says_who_one_is(desk: Desk) -> None:
    actor = desk.actor(Role.REVIEWER, "ray")
    access = desk.services.access
    grant = access.login("RAY@example.com", PASSWORD, ip="192.0.2.1", user_agent="Browser\x1b[0m")
    assert grant.expires_at == desk.clock.now() + LIFETIME
    found = access.actor_for_session(grant.secret, ip="192.0.2.9")
    assert found is not None
    assert (found.id, found.role, found.ip) == (actor.id, Role.REVIEWER, "192.0.2.9")
    assert found.permissions == ROLE_PERMISSIONS[Role.REVIEWER]
    (row,) = table(desk, "sessions")
    assert grant.secret not in str(row)
    assert found.session == row["id"]
    assert row["user_agent"] == "Browser[0m"


def test_every_sign_in_opens_another_session(desk: Desk) -> None:
    desk.actor(Role.VIEWER, "v")
    access = desk.services.access
    first, second = (access.login("v@example.com", PASSWORD) for _ in range(2))
    assert first.secret != second.secret
    access.logout(first.secret)
    assert access.actor_for_session(first.secret) is None
    assert access.actor_for_session(second.secret) is not None
    access.logout(first.secret)  # twice is no error
    actions = [row["action"] for row in table(desk, "audit_logs")]
    assert actions.count("user.signed_out") == 1


def test_who_was_read_a_moment_ago_is_remembered_and_nobody_else(desk: Desk) -> None:
    desk.actor(Role.VIEWER, "v")
    access = desk.services.access
    secret = access.login("v@example.com", PASSWORD).secret
    assert access.remembered_actor(secret) is None
    found = access.actor_for_session(secret, ip="192.0.2.9")
    assert found is not None
    assert access.remembered_actor(secret, ip="192.0.2.9") == found
    desk.clock.advance(CACHE_SECONDS)
    assert access.remembered_actor(secret) is None
    assert access.actor_for_session(secret) is not None
    access.logout(secret)
    assert access.remembered_actor(secret) is None


def test_a_session_ends_when_idle_for_half_an_hour(desk: Desk) -> None:
    desk.actor(Role.VIEWER, "v")
    access = desk.services.access
    secret = access.login("v@example.com", PASSWORD).secret
    desk.clock.advance(IDLE - timedelta(seconds=1))
    assert access.actor_for_session(secret) is not None  # and that was a sign of life
    desk.clock.advance(IDLE - timedelta(seconds=1))
    assert access.actor_for_session(secret) is not None
    desk.clock.advance(IDLE)
    assert access.actor_for_session(secret) is None


def test_a_session_ends_after_twelve_hours_in_any_case(desk: Desk) -> None:
    desk.actor(Role.VIEWER, "v")
    access = desk.services.access
    secret = access.login("v@example.com", PASSWORD).secret
    for _ in range(47):
        desk.clock.advance(LIFETIME / 48)
        assert access.actor_for_session(secret) is not None
    desk.clock.advance(LIFETIME / 48)
    assert access.actor_for_session(secret) is None


def test_a_session_in_use_is_written_at_most_once_a_minute(desk: Desk) -> None:
    desk.actor(Role.VIEWER, "v")
    access = desk.services.access
    secret = access.login("v@example.com", PASSWORD).secret
    opened = table(desk, "sessions")[0]["last_seen_at"]
    desk.clock.advance(59)
    access.actor_for_session(secret)
    assert table(desk, "sessions")[0]["last_seen_at"] == opened
    desk.clock.advance(2)
    access.actor_for_session(secret)
    assert table(desk, "sessions")[0]["last_seen_at"] == opened + 61_000_000


@pytest.mark.parametrize("secret", ["", "nonsense", "\ud800", "x" * 100_000])
def test_a_made_up_secret_is_nobody(desk: Desk, secret: str) -> None:
    assert desk.services.access.actor_for_session(secret) is None
    assert desk.services.access.actor_for_token(secret) is None


@pytest.mark.parametrize("change", ["role", "disabled", "password"])
def test_a_change_of_the_account_ends_its_sessions_at_once(desk: Desk, change: str) -> None:
    desk.actor(Role.ADMIN)
    user = desk.actor(Role.REVIEWER, "ray")
    access = desk.services.access
    secret = access.login("ray@example.com", PASSWORD).secret
    assert access.actor_for_session(secret) is not None
    assert user.id is not None
    if change == "role":
        access.set_role(ROOT, user.id, "viewer")
    elif change == "disabled":
        access.set_disabled(ROOT, user.id, True)
    else:
        access.set_password(ROOT, user.id, "another quiet river here")
    assert access.actor_for_session(secret) is None


def test_another_process_hears_of_a_revocation_within_a_second(desk: Desk) -> None:
    desk.actor(Role.VIEWER, "v")
    access = desk.services.access
    secret = access.login("v@example.com", PASSWORD).secret
    assert access.actor_for_session(secret) is not None
    desk.db.write(lambda tx: tx.execute("UPDATE sessions SET revoked_at = {now}"))
    desk.clock.advance(1)
    assert access.actor_for_session(secret) is None


# Brute force.


def test_wrong_password_and_unknown_account_get_the_same_answer(desk: Desk) -> None:
    desk.actor(Role.VIEWER, "v")
    answers = []
    for email in ("v@example.com", "nobody@example.com", "no address"):
        with pytest.raises(Unauthenticated) as refused:
            desk.services.access.login(email, "wrong wrong wrong")
        answers.append(refused.value.message)
    assert len(set(answers)) == 1


def test_an_unknown_account_costs_as_many_hashes_as_a_known_one() -> None:
    counted: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            counted.append("verify")
            return super().verify(hash, password)

    passwords = Passwords(Counting(time_cost=1, memory_cost=8, parallelism=1))
    stored = passwords.hash(PASSWORD)
    assert not passwords.matches(stored, "wrong")
    assert not passwords.matches(None, "wrong")
    assert not passwords.matches(stored, "\ud800")
    assert counted == ["verify"] * 3
    assert passwords.matches(stored, PASSWORD)


@pytest.mark.parametrize("email", ["v@example.com", "nobody@example.com"])
def test_failures_slow_an_account_down_more_and_more(desk: Desk, email: str) -> None:
    desk.actor(Role.VIEWER, "v")
    access = desk.services.access
    waits = []
    for _ in range(8):
        try:
            access.login(email, "wrong wrong wrong")
        except Unauthenticated:
            continue
        except RateLimited as limited:
            waits.append(limited.context["retryAfter"])
            desk.clock.advance(float(str(limited.context["retryAfter"])))
    assert waits == [1, 2]
    with pytest.raises(Unauthenticated):
        access.login(email, "wrong wrong wrong")
    with pytest.raises(RateLimited):
        access.login(email, PASSWORD)  # even the right one has to wait


def test_success_forgets_failures(desk: Desk) -> None:
    desk.actor(Role.VIEWER, "v")
    access = desk.services.access
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(Unauthenticated):
                access.login("v@example.com", "wrong wrong wrong")
        assert access.login("v@example.com", PASSWORD).actor.name == "v"


def test_an_address_that_tries_many_accounts_is_slowed_down(desk: Desk) -> None:
    access = desk.services.access
    for n in range(30):
        with pytest.raises(Unauthenticated):
            access.login(f"u{n}@example.com", "wrong wrong wrong", ip="192.0.2.66")
    with pytest.raises(RateLimited):
        access.login("next@example.com", "wrong wrong wrong", ip="192.0.2.66")
    with pytest.raises(Unauthenticated):
        access.login("next@example.com", "wrong wrong wrong", ip="192.0.2.67")


def test_a_disabled_account_cannot_sign_in(desk: Desk) -> None:
    desk.actor(Role.ADMIN)
    user = desk.actor(Role.VIEWER, "v")
    assert user.id is not None
    desk.services.access.set_disabled(ROOT, user.id, True)
    with pytest.raises(Unauthenticated):
        desk.services.access.login("v@example.com", PASSWORD)
    desk.services.access.set_disabled(ROOT, user.id, False)
    assert desk.services.access.login("v@example.com", PASSWORD).actor.id == user.id


@pytest.mark.parametrize("account", ["enabled", "disabled", "unknown"])
def test_how_fast_one_may_guess_does_not_tell_accounts_apart(desk: Desk, account: str) -> None:
    user = desk.actor(Role.VIEWER, "v")
    assert user.id is not None
    if account == "disabled":
        desk.services.access.set_disabled(ROOT, user.id, True)
    email = "nobody@example.com" if account == "unknown" else "v@example.com"
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            desk.services.access.login(email, "wrong wrong wrong")
    with pytest.raises(RateLimited):
        desk.services.access.login(email, "wrong wrong wrong")


def test_delays_double_up_to_a_bound() -> None:
    assert [delay_after(n) for n in (0, 4, 5, 6, 9)] == [0, 0, 1, 2, 16]
    assert delay_after(10_000) == MAX_DELAY


def test_a_throttle_forgets_what_succeeded() -> None:
    throttle = Throttle(FakeClock(), free=1)
    assert throttle.failed("a") == 1
    assert (throttle.wait("a"), throttle.wait("b")) == (1, 0)
    throttle.forget("a")
    assert throttle.wait("a") == 0


def test_a_throttle_forgets_what_is_long_ago() -> None:
    clock = FakeClock()
    throttle = Throttle(clock, free=1)
    assert [throttle.failed("office") for _ in range(3)] == [1, 2, 4]
    clock.advance(FORGET)
    assert throttle.failed("office") == 8
    clock.advance(FORGET + 9)
    assert throttle.failed("office") == 1


def test_hashes_beyond_two_at_a_time_wait_and_then_give_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords_module, "MAX_WAIT", 0.01)
    entered, leave = threading.Semaphore(0), threading.Event()

    class Slow(PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            entered.release()
            leave.wait(10)
            return super().hash(password, salt=salt)

    passwords = Passwords(Slow(time_cost=1, memory_cost=8, parallelism=1))
    with ThreadPoolExecutor(2) as pool:
        busy = [pool.submit(passwords.hash, PASSWORD) for _ in range(2)]
        assert entered.acquire(timeout=10)
        assert entered.acquire(timeout=10)
        with pytest.raises(RateLimited):
            passwords.hash(PASSWORD)
        leave.set()
        assert all(future.result(10) for future in busy)


def test_somebody_at_an_open_screen_cannot_guess_the_password_on(desk: Desk) -> None:
    user = desk.actor(Role.VIEWER, "v")
    change = desk.services.access.change_password
    for _ in range(5):
        with pytest.raises(Invalid):
            change(user, current="wrong", new="another quiet river here")
    with pytest.raises(RateLimited):
        change(user, current=PASSWORD, new="another quiet river here")


# Passwords and accounts.


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "x" * 257,
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "123456789012",
        "qwertyuiopas",
        "Password1234!",
        "administrator2026",
        "ada@example.com",
        "ada.lovelace1815",
        "correct horse battery staple",
        "nul\x00nul\x00nul\x00nul",
    ],
)
def test_a_guessable_password_is_refused(password: str) -> None:
    email = "ada.lovelace@example.com" if "lovelace" in password else "ada@example.com"
    with pytest.raises(Invalid, match="password"):
        check_password(password, email=email)


@pytest.mark.parametrize("password", [PASSWORD, "Tr0ub4dor&3-and-more", "лес пять рек тихо"])
def test_long_and_unusual_is_enough(password: str) -> None:
    check_password(password, email="ada@example.com")
    assert len(password) >= passwords_module.MIN_LENGTH


@pytest.mark.parametrize(
    ("email", "name", "role", "field"),
    [
        ("nobody", "N", "viewer", "email"),
        ("a@b\n", " ", "viewer", "name"),
        ("a b@example.com", "N", "viewer", "email"),
        ("a@example.com", "N", "root", "role"),
        ("a@example.com", "N\x1b[31m", "viewer", "name"),
    ],
)
def test_an_account_needs_proper_fields(
    desk: Desk, email: str, name: str, role: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        desk.services.access.create_user(ROOT, email, name, role, PASSWORD)
    assert refused.value.fields[0].field == field


def test_an_address_has_one_account(desk: Desk) -> None:
    desk.actor(Role.VIEWER, "v")
    with pytest.raises(Conflict, match="already an account"):
        desk.services.access.create_user(ROOT, "V@EXAMPLE.com", "V", "admin", PASSWORD)


def test_the_last_admin_stays(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    access = desk.services.access
    assert admin.id is not None
    with pytest.raises(Conflict, match="at least one"):
        access.set_role(admin, admin.id, "viewer")
    with pytest.raises(Conflict, match="at least one"):
        access.set_disabled(admin, admin.id, True)
    second = desk.actor(Role.ADMIN, "second")
    assert access.set_role(second, admin.id, "viewer").role == "viewer"


def test_one_may_change_ones_own_password(desk: Desk) -> None:
    desk.actor(Role.ADMIN)
    user = desk.actor(Role.VIEWER, "v")
    access = desk.services.access
    with pytest.raises(Invalid, match="not your password"):
        access.change_password(user, current="wrong", new="another quiet river here")
    access.change_password(user, current=PASSWORD, new="another quiet river here")
    with pytest.raises(Unauthenticated):
        access.login("v@example.com", PASSWORD)
    assert access.login("v@example.com", "another quiet river here").actor.id == user.id


# Tokens.


def test_a_token_acts_for_its_account_and_is_shown_once(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    access = desk.services.access
    grant = access.create_token(admin, "admin@example.com", name="ci", days=10)
    assert grant.token.startswith("ac_")
    assert grant.expires_at == desk.clock.now() + timedelta(days=10)
    actor = access.actor_for_token(grant.token, ip="192.0.2.3")
    assert actor is not None
    assert (actor.kind, actor.id, actor.ip) == ("token", admin.id, "192.0.2.3")
    assert actor.permissions == frozenset(Permission)
    stored = str(table(desk, "api_tokens")) + str(table(desk, "audit_logs"))
    secret = grant.token.split("_", 2)[2]  # in which there may be another
    assert len(secret) > 40
    assert secret not in stored
    assert access.tokens(admin)[0].name == "ci"


def test_a_token_can_do_no_more_than_scope_and_role_allow_when_it_is_used(desk: Desk) -> None:
    desk.actor(Role.ADMIN)
    user = desk.actor(Role.OPERATOR, "op")
    access = desk.services.access
    grant = access.create_token(
        user, "op@example.com", name="ci", scopes=["jobs:create", "jobs:read"]
    )
    assert user.id is not None
    access.set_role(ROOT, user.id, "viewer")
    actor = access.actor_for_token(grant.token)
    assert actor is not None
    assert actor.permissions == {Permission.JOBS_READ}


def test_nobody_makes_a_token_that_may_more_than_they_do(desk: Desk) -> None:
    user = desk.actor(Role.OPERATOR, "op")
    access = desk.services.access
    for scopes in (["checkpoints:decide"], ["nonsense"], []):
        with pytest.raises(Invalid, match="scope"):
            access.create_token(user, "op@example.com", name="ci", scopes=scopes)
    narrow = access.actor_for_token(
        access.create_token(
            user, "op@example.com", name="narrow", scopes=["tokens:own", "jobs:read"]
        ).token
    )
    assert narrow is not None
    wide = access.create_token(narrow, "op@example.com", name="wide")
    assert set(wide.scopes) == {Permission.TOKENS_OWN, Permission.JOBS_READ}


def test_a_token_that_may_decide_may_see_what_it_decides(desk: Desk) -> None:
    user = desk.actor(Role.REVIEWER, "rita")
    grant = desk.services.access.create_token(
        user, "rita@example.com", name="bot", scopes=["checkpoints:decide"]
    )
    assert set(grant.scopes) == {Permission.CHECKPOINTS_DECIDE, Permission.CHECKPOINTS_READ}


def test_a_token_of_somebody_else_takes_an_admin(desk: Desk) -> None:
    operator, admin = desk.actor(Role.OPERATOR, "op"), desk.actor(Role.ADMIN)
    access = desk.services.access
    for email in ("admin@example.com", "nobody@example.com"):
        with pytest.raises(Forbidden):
            access.create_token(operator, email, name="x")
    with pytest.raises(NotFound):
        access.create_token(admin, "nobody@example.com", name="x")
    grant = access.create_token(admin, "op@example.com", name="x")
    assert set(grant.scopes) == ROLE_PERMISSIONS[Role.OPERATOR]
    assert [token.id for token in access.tokens(operator)] == [grant.id]


@pytest.mark.parametrize("how", ["revoked", "expired", "disabled", "altered"])
def test_a_token_that_ended_is_nobody(desk: Desk, how: str) -> None:
    desk.actor(Role.ADMIN)
    user = desk.actor(Role.VIEWER, "v")
    access = desk.services.access
    grant = access.create_token(user, "v@example.com", name="x", days=1)
    token = grant.token
    assert access.actor_for_token(token) is not None
    assert user.id is not None
    if how == "revoked":
        access.revoke_token(user, grant.id)
        access.revoke_token(user, grant.id)  # twice is no error
    elif how == "expired":
        desk.clock.advance(timedelta(days=1))
    elif how == "disabled":
        access.set_disabled(ROOT, user.id, True)
    else:
        token = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert access.actor_for_token(token) is None


def test_the_token_of_another_is_not_there_to_revoke(desk: Desk) -> None:
    ann, bob = desk.actor(Role.VIEWER, "ann"), desk.actor(Role.VIEWER, "bob")
    grant = desk.services.access.create_token(ann, "ann@example.com", name="x")
    with pytest.raises(NotFound):
        desk.services.access.revoke_token(bob, grant.id)
    assert desk.services.access.actor_for_token(grant.token) is not None


def test_the_use_of_a_token_is_noted_at_most_once_a_minute(desk: Desk) -> None:
    user = desk.actor(Role.VIEWER, "v")
    access = desk.services.access
    token = access.create_token(user, "v@example.com", name="x").token
    seen = []
    for seconds in (0, 59, 2):
        desk.clock.advance(seconds)
        access.actor_for_token(token)
        seen.append(access.tokens(user)[0].last_used_at)
    start = desk.clock.now() - timedelta(seconds=61)
    assert seen == [start, start, desk.clock.now()]


def test_sessions_of_many_people_are_read_and_marked_at_once(desk: Desk) -> None:
    people = {name: desk.actor(Role.VIEWER, name) for name in ("a", "b", "c")}
    access = desk.services.access
    grants = {name: access.login(f"{name}@example.com", PASSWORD).secret for name in people}
    desk.clock.advance(61)
    access.logout(grants["c"])
    found = access.actors_for_sessions([*grants.values(), "nonsense"])
    assert {secret: one.id for secret, one in found.items()} == {
        grants[name]: people[name].id for name in ("a", "b")
    }
    seen = {row["user_id"]: row["last_seen_at"] for row in table(desk, "sessions")}
    assert seen[people["a"].id] == seen[people["b"].id] == seen[people["c"].id] + 61_000_000
