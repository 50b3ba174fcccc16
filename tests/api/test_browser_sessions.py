from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from agent_console.api.forms import local_path
from agent_console.domain.access import Role
from tests.api.conftest import ORIGIN, PASSWORD, Door

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)

JOBS = "/api/agent-jobs"
NOOP = {"jobType": "noop"}


def _login(client: TestClient, email: str, password: str = PASSWORD, **fields: str) -> str:
    answer = client.post("/auth/login", data={"email": email, "password": password, **fields})
    assert answer.status_code == 303
    return str(answer.headers["location"])


def _error(location: str) -> str:
    return parse_qs(urlsplit(location).query)["error"][0]


def test_sign_in_sets_a_cookie_that_scripts_cannot_read(door: Door) -> None:
    browser = door.client(Origin=ORIGIN)
    form = {"email": door.account(Role.ADMIN), "password": PASSWORD, "next": "/jobs?status=FAILED"}
    answer = browser.post("/auth/login", data=form)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/jobs?status=FAILED"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("ac_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    assert answer.headers["cache-control"] == "no-store"
    assert browser.get(JOBS).status_code == 200


def test_over_tls_the_cookie_is_bound_to_the_host(make_door: Callable[..., Door]) -> None:
    door = make_door(public_url="https://console.example.com")
    browser = door.client(Origin="https://console.example.com")
    form = {"email": door.account(Role.ADMIN), "password": PASSWORD}
    cookie = browser.post("/auth/login", data=form).headers["set-cookie"]
    assert cookie.startswith("__Host-ac_session=")
    assert "Secure" in cookie
    assert "Domain" not in cookie
    stranger = door.client(Origin="http://localhost:3000")
    refused = stranger.post("/auth/login", data=form)
    assert _error(refused.headers["location"]) == "origin"


def test_failures_go_back_to_the_page_with_a_code(door: Door) -> None:
    email = door.account(Role.ADMIN)
    browser = door.client(Origin=ORIGIN)
    assert _login(browser, email, "wrong password") == "/login?error=unauthenticated"
    back = _login(browser, email, "wrong password", next="/jobs")
    assert back == "/login?error=unauthenticated&next=%2Fjobs"
    for _ in range(8):
        last = _login(browser, email, "wrong password")
    assert _error(last) == "rate_limited"
    assert "ac_session" not in browser.cookies


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3001"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_forms_of_other_sites_are_refused(door: Door, headers: dict[str, str]) -> None:
    email = door.account(Role.ADMIN)
    stranger = door.client(**headers)
    assert _error(_login(stranger, email)) == "origin"
    browser = door.signed_in(Role.ADMIN)
    victim = door.client(**headers, Cookie=f"ac_session={browser.cookies['ac_session']}")
    assert _error(victim.post("/auth/logout").headers["location"]) == "origin"
    assert browser.get(JOBS).status_code == 200
    answer = victim.post(JOBS, json=NOOP)
    assert answer.status_code == 403
    assert answer.json()["code"] == "cross_origin"
    assert victim.get(JOBS).status_code == 200  # reading is harmless: no CORS, so no answer


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": ORIGIN},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "http://[::1]:3000"},
        {"Sec-Fetch-Site": "same-origin"},
    ],
)
def test_the_consoles_own_pages_may_act(door: Door, headers: dict[str, str]) -> None:
    browser = door.client(**headers)
    assert _login(browser, door.account(Role.ADMIN)) == "/"
    assert browser.post(JOBS, json=NOOP).status_code == 201


def test_with_a_public_url_loopback_names_are_other_sites(make_door: Callable[..., Door]) -> None:
    door = make_door(public_url="http://localhost:3000")
    email = door.account(Role.ADMIN)
    assert _error(_login(door.client(Origin="http://127.0.0.1:3000"), email)) == "origin"
    assert _login(door.client(Origin="http://localhost:3000"), email) == "/"


def test_a_cookie_request_needs_json_or_the_custom_header(door: Door) -> None:
    browser = door.signed_in(Role.ADMIN)
    plain = browser.delete("/api/admin/agent-worker")
    assert plain.status_code == 403
    assert plain.json()["code"] == "cross_origin"
    headers = {"X-Requested-With": "XMLHttpRequest"}
    assert browser.delete("/api/admin/agent-worker", headers=headers).status_code == 409


def test_beside_a_token_the_cookie_is_not_looked_at(door: Door) -> None:
    browser = door.signed_in(Role.ADMIN)
    viewer = {"Authorization": f"Bearer {door.token(Role.VIEWER)}"}
    assert browser.post(JOBS, json=NOOP, headers=viewer).status_code == 403
    wrong = {"Authorization": "Bearer ac_x_y"}
    assert browser.get(JOBS, headers=wrong).status_code == 401
    admin = {"Authorization": f"Bearer {door.token(Role.ADMIN)}", "Origin": "https://evil.example"}
    assert browser.post(JOBS, json=NOOP, headers=admin).status_code == 201


def test_sign_out_ends_the_session(door: Door) -> None:
    browser = door.signed_in(Role.ADMIN)
    secret = browser.cookies["ac_session"]
    answer = browser.post("/auth/logout")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login"
    assert "ac_session" not in browser.cookies
    thief = door.client(Cookie=f"ac_session={secret}")
    assert thief.get(JOBS).status_code == 401


def test_signing_in_again_ends_the_former_session(door: Door) -> None:
    browser = door.signed_in(Role.ADMIN)
    former = browser.cookies["ac_session"]
    assert _login(browser, door.account(Role.ADMIN)) == "/"
    assert browser.cookies["ac_session"] != former
    assert door.client(Cookie=f"ac_session={former}").get(JOBS).status_code == 401


def test_set_up_makes_the_first_admin_and_signs_in(door: Door) -> None:
    token = door.services.access.create_setup_link()
    browser = door.client(Origin=ORIGIN)
    form = {"token": token, "email": "ada@example.com", "name": "Ada", "password": "short"}
    weak = browser.post("/auth/setup", data=form)
    assert weak.headers["location"] == f"/setup?token={token}&error=weak_password"
    mismatch = browser.post("/auth/setup", data=form | {"password2": "other"})
    assert _error(mismatch.headers["location"]) == "mismatch"
    good = form | {"password": PASSWORD, "password2": PASSWORD}
    done = browser.post("/auth/setup", data=good)
    assert done.status_code == 303
    assert done.headers["location"] == "/"
    assert browser.get("/api/audit").status_code == 200
    again = door.client(Origin=ORIGIN).post("/auth/setup", data=good)
    assert _error(again.headers["location"]) == "invalid_token"


def test_other_bodies_are_no_form(door: Door) -> None:
    browser = door.client(Origin=ORIGIN)
    as_json = browser.post("/auth/login", json={"email": "a@b.c"})
    assert _error(as_json.headers["location"]) == "unsupported_media_type"
    form = {"content-type": "application/x-www-form-urlencoded"}
    big = browser.post("/auth/login", content=b"a=" + b"x" * 20_000, headers=form)
    assert _error(big.headers["location"]) == "too_large"
    for body in (b"email=%ff", b"email=%00", b"\xff=1", b"&".join([b"a=1"] * 30)):
        answer = browser.post("/auth/login", content=body, headers=form)
        assert _error(answer.headers["location"]) == "invalid"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/a\\b",
        "javascript:alert(1)",
        "/x\r\nSet-Cookie: a=b",
        "",
        "jobs",
    ],
)
def test_next_leads_nowhere_else(door: Door, target: str) -> None:
    assert local_path(target) == "/"
    browser = door.client(Origin=ORIGIN)
    assert _login(browser, door.account(Role.ADMIN), next=target) == "/"
