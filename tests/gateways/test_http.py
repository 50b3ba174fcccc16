"""Outgoing requests reach what is allowed, at the address that was checked, and nothing else."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from agent_console import CircuitOpen, HttpFailed, Invalid, Refused
from agent_console.domain import trace
from agent_console.domain.errors import Misconfigured
from agent_console.domain.records import BreakerState
from agent_console.gateways import http as gateway
from agent_console.gateways.http import HttpGateway, http_gateway
from agent_console.settings import Settings
from tests.support.programs import Program, running

HERE = Path(__file__).parent
ODD, NAMES = HERE / "odd_server.py", HERE / "name_server.py"

Allowing = Callable[..., HttpGateway]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def odd(tmp_path: Path, stack: ExitStack) -> Program:
    return stack.enter_context(running(ODD, "127.0.0.2", "0", tmp_path / "odd.log"))


@pytest.fixture
def allowing(tmp_path: Path) -> Allowing:
    """Return a maker of gateways that may call hosts of this machine."""

    def make(*hosts: str, private: str = "127.0.0.2/32", **settings: Any) -> HttpGateway:
        return http_gateway(
            Settings(data_dir=tmp_path, http_allow=hosts, http_allow_private=(private,), **settings)
        )

    return make


def requests(log: Path) -> list[dict[str, Any]]:
    """Return what a server was asked."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def test_an_allowed_host_is_called_by_its_name(
    odd: Program, allowing: Allowing, tmp_path: Path
) -> None:
    http = allowing(f"http://127.0.0.2:{odd.port}")
    answer = http.post(
        f"http://127.0.0.2:{odd.port}/tasks?a=1",
        {"n": 1},
        headers={"Host": "evil", "Content-Length": "999", "X-Mine": "kept"},
    )
    assert (answer.status, answer.json()) == (200, {"hello": "world"})
    (asked,) = requests(tmp_path / "odd.log")
    assert asked["path"] == "/tasks?a=1"
    assert asked["body"] == '{"n":1}'
    assert asked["headers"]["host"] == f"127.0.0.2:{odd.port}"
    assert asked["headers"]["x-mine"] == "kept"


def test_the_trace_of_the_work_goes_on_at_the_other_side(
    odd: Program, allowing: Allowing, tmp_path: Path
) -> None:
    http = allowing(f"http://127.0.0.2:{odd.port}")
    url, place = f"http://127.0.0.2:{odd.port}/", str(trace.beginning())
    http.get(url)
    with trace.within(place):
        http.get(url)
    outside, inside = requests(tmp_path / "odd.log")
    assert "traceparent" not in outside["headers"]
    assert inside["headers"]["traceparent"] == place


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.2:1/",  # another port
        "https://127.0.0.2:{port}/",  # another scheme
        "http://localhost:{port}/",
        "http://127.0.0.2.evil.example:{port}/",
        "http://[::ffff:127.0.0.2]:{port}/",
        "http://2130706434:{port}/",  # the same address, in other words
    ],
)
def test_what_is_not_on_the_list_is_refused_before_any_packet(
    url: str, odd: Program, allowing: Allowing, tmp_path: Path
) -> None:
    http = allowing(f"http://127.0.0.2:{odd.port}")
    with pytest.raises(Refused, match="AGENT_CONSOLE_HTTP_ALLOW"):
        http.get(url.format(port=odd.port))
    assert requests(tmp_path / "odd.log") == []


def test_without_settings_nothing_is_allowed(odd: Program) -> None:
    with pytest.raises(Refused):
        HttpGateway().get(f"http://127.0.0.2:{odd.port}/")


def test_an_allowed_host_with_a_private_address_is_refused(
    odd: Program, allowing: Allowing, tmp_path: Path
) -> None:
    http = allowing(f"http://127.0.0.2:{odd.port}", private="10.0.0.0/8")
    with pytest.raises(Refused, match=r"127\.0\.0\.2, which is not a public address"):
        http.get(f"http://127.0.0.2:{odd.port}/")
    assert requests(tmp_path / "odd.log") == []


@pytest.fixture
def names(tmp_path: Path, stack: ExitStack) -> Callable[[dict[str, list[list[str]]]], str]:
    """Return a function that starts a name server with these answers and returns its address."""

    def start(answers: dict[str, list[list[str]]]) -> str:
        script = tmp_path / "names.json"
        script.write_text(json.dumps(answers))
        program = stack.enter_context(running(NAMES, script, tmp_path / "names.log"))
        return f"127.0.0.1:{program.port}"

    return start


def test_a_name_that_is_bound_anew_does_not_lead_elsewhere(
    tmp_path: Path, stack: ExitStack, allowing: Allowing, names: Callable[..., str]
) -> None:
    """Good for the first question, the victim from the second on: whoever asks twice is caught."""
    good = stack.enter_context(running(ODD, "127.0.0.2", "0", tmp_path / "good.log"))
    stack.enter_context(running(ODD, "127.0.0.1", str(good.port), tmp_path / "victim.log"))
    server = names({"rebind.test": [["127.0.0.2"], ["127.0.0.1"]]})
    http = allowing(f"http://rebind.test:{good.port}", http_nameserver=server)
    assert http.get(f"http://rebind.test:{good.port}/").status == 200
    (asked,) = requests(tmp_path / "good.log")
    assert asked["headers"]["host"] == f"rebind.test:{good.port}"
    assert (tmp_path / "names.log").read_text().splitlines().count("A rebind.test") == 1
    for _ in range(3):
        with pytest.raises(Refused, match=r"127\.0\.0\.1, which is not a public address"):
            http.get(f"http://rebind.test:{good.port}/")
    assert requests(tmp_path / "victim.log") == []
    assert len(requests(tmp_path / "good.log")) == 1


@pytest.mark.parametrize(
    "addresses",
    [["169.254.169.254"], ["10.0.0.1"], ["127.0.0.2", "127.0.0.1"], ["93.184.216.34", "10.0.0.1"]],
)
def test_one_address_that_may_not_be_called_refuses_the_name(
    addresses: list[str],
    odd: Program,
    allowing: Allowing,
    names: Callable[..., str],
    tmp_path: Path,
) -> None:
    server = names({"mixed.test": [addresses]})
    http = allowing(f"http://mixed.test:{odd.port}", http_nameserver=server)
    with pytest.raises(Refused):
        http.get(f"http://mixed.test:{odd.port}/")
    assert requests(tmp_path / "odd.log") == []


def test_a_name_without_an_address_and_a_silent_name_server_are_said(
    allowing: Allowing, names: Callable[..., str]
) -> None:
    server = names({"silent.test": [[]]})
    http = allowing("silent.test", "nowhere.test", http_nameserver=server, http_timeout=0.5)
    with pytest.raises(HttpFailed, match=r"nowhere\.test"):
        http.get("https://nowhere.test/")
    began = monotonic()
    with pytest.raises(HttpFailed, match=r"silent\.test did not answer within 0\.5 s"):
        http.get("https://silent.test/")
    assert monotonic() - began < 5


def test_a_redirect_is_an_answer_and_is_not_followed(odd: Program, allowing: Allowing) -> None:
    http = allowing(f"http://127.0.0.2:{odd.port}")
    answer = http.get(f"http://127.0.0.2:{odd.port}/redirect")
    assert (answer.status, answer.headers["location"]) == (302, "http://127.0.0.1:1/secret")


def test_proxies_of_the_environment_are_not_used(
    odd: Program, allowing: Allowing, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    http = allowing(f"http://127.0.0.2:{odd.port}")
    assert http.get(f"http://127.0.0.2:{odd.port}/").status == 200


@pytest.mark.parametrize("path", ["hang", "drip-head", "drip-body"])
def test_a_call_ends_in_time_however_slowly_bytes_drip_in(
    path: str, odd: Program, allowing: Allowing
) -> None:
    http = allowing(f"http://127.0.0.2:{odd.port}", http_timeout=0.6)
    began = monotonic()
    with pytest.raises(HttpFailed, match=r"did not answer within 0\.6 s"):
        http.get(f"http://127.0.0.2:{odd.port}/{path}")
    assert monotonic() - began < 5


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("large", "more than 1,048,576 bytes"),
        ("zipped", "an encoding that was not asked for"),
        ("garbage", "cannot be reached"),
    ],
)
def test_an_answer_that_is_no_good_is_refused(
    path: str, said: str, odd: Program, allowing: Allowing
) -> None:
    http = allowing(f"http://127.0.0.2:{odd.port}")
    with pytest.raises(HttpFailed, match=said):
        http.get(f"http://127.0.0.2:{odd.port}/{path}")


def test_nobody_there_is_one_sentence(allowing: Allowing) -> None:
    with pytest.raises(HttpFailed, match=r"^http://127\.0\.0\.2:9 cannot be reached: .*refused"):
        allowing("http://127.0.0.2:9").get("http://127.0.0.2:9/")


@pytest.mark.parametrize("header", ["a\r\nX-Evil: 1", "a\nb", "a\x00b"])
def test_a_header_cannot_smuggle_another(
    header: str, odd: Program, allowing: Allowing, tmp_path: Path
) -> None:
    http = allowing(f"http://127.0.0.2:{odd.port}")
    with pytest.raises(HttpFailed):
        http.get(f"http://127.0.0.2:{odd.port}/", headers={"X-Mine": header})
    assert requests(tmp_path / "odd.log") == []


def certificate(folder: Path, host: str) -> Path:
    """Make a certificate that signs for ``host`` alone; the file holds its key as well."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


def test_tls_is_checked_against_the_name_though_the_address_is_called(
    tmp_path: Path,
    stack: ExitStack,
    allowing: Allowing,
    names: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pem = certificate(tmp_path, "worker.test")
    log = tmp_path / "tls.log"
    secure = stack.enter_context(running(ODD, "127.0.0.2", "0", log, pem))
    server = names({"worker.test": [["127.0.0.2"]], "other.test": [["127.0.0.2"]]})
    hosts = [f"worker.test:{secure.port}", f"other.test:{secure.port}"]
    http = allowing(*hosts, http_nameserver=server)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    gateway._tls.cache_clear()
    try:
        assert http.get(f"https://{hosts[0]}/").status == 200
        with pytest.raises(HttpFailed, match="certificate"):
            http.get(f"https://{hosts[1]}/")
        monkeypatch.delenv("SSL_CERT_FILE")
        gateway._tls.cache_clear()
        with pytest.raises(HttpFailed, match="certificate"):
            http.get(f"https://{hosts[0]}/")
    finally:
        gateway._tls.cache_clear()
    assert len(requests(log)) == 1


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/",
        "//host/",
        "host",
        "https://",
        "https://user:pass@host/",
        "https://host/#fragment",
        "https://host\\@evil/",
        "https://ho st/",
        "https://host/\r\nX: 1",
        "https://höst/",
        "https://host:99999/",
        "https://host:0/",
        "https://" + "a" * 2000,
        "https://[::1%25eth0]/",
    ],
)
def test_a_url_that_parsers_disagree_about_is_refused(url: str, allowing: Allowing) -> None:
    with pytest.raises(Invalid, match="url"):
        allowing("host", "evil").get(url)


class TestBreaker:
    def test_a_host_that_fails_again_and_again_is_left_alone_then_tried_once(
        self, odd: Program, allowing: Allowing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        entry = f"http://127.0.0.2:{odd.port}"
        http = allowing(entry, http_breaker_failures=3, http_breaker_seconds=60)
        changes: list[dict[str, BreakerState]] = []
        http.breakers.changed = lambda: changes.append(http.states())
        assert http.states() == {}
        for _ in range(3):
            assert http.get(f"{entry}/fail").status == 500
        with pytest.raises(CircuitOpen, match="left alone for") as opened:
            http.get(f"{entry}/hello")
        assert 50 < opened.value.retry_after <= 60
        assert len(requests(tmp_path / "odd.log")) == 3, "the fourth call was not made"
        assert http.states() == {entry: BreakerState.OPEN}

        now = gateway.time
        monkeypatch.setattr("time.time", lambda: now() + 61)
        assert http.states() == {entry: BreakerState.HALF_OPEN}
        assert http.get(f"{entry}/fail").status == 500
        assert http.states() == {entry: BreakerState.OPEN}, "one more failure is enough"
        monkeypatch.setattr("time.time", lambda: now() + 130)
        assert http.get(f"{entry}/hello").status == 200
        assert http.states() == {entry: BreakerState.CLOSED}
        assert [state[entry] for state in changes][-1] is BreakerState.CLOSED
        assert len(changes) >= 2

    def test_what_the_settings_refuse_says_nothing_of_the_host(
        self, odd: Program, allowing: Allowing
    ) -> None:
        entry = f"http://127.0.0.2:{odd.port}"
        http = allowing(entry, private="10.0.0.0/8", http_breaker_failures=1)
        for _ in range(3):
            with pytest.raises(Refused):
                http.get(f"{entry}/")
        assert http.states() == {entry: BreakerState.CLOSED}

    def test_hosts_behind_a_pattern_have_one_each_and_the_worst_is_told(
        self, odd: Program, allowing: Allowing, names: Callable[..., str]
    ) -> None:
        server = names({"a.many.test": [["127.0.0.2"]], "b.many.test": [["127.0.0.2"]]})
        entry = f"http://*.many.test:{odd.port}"
        http = allowing(entry, http_nameserver=server, http_breaker_failures=1)
        assert http.get(f"http://a.many.test:{odd.port}/fail").status == 500
        assert http.get(f"http://b.many.test:{odd.port}/").status == 200
        assert http.states() == {entry: BreakerState.OPEN}
        with pytest.raises(Refused):
            http.get(f"http://many.test:{odd.port}/")


class TestSigning:
    SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    def test_the_published_example(self) -> None:
        from agent_console.gateways import signing

        made = signing.headers(
            [self.SECRET],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            b'{"test": 2432232314}',
        )
        assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    def test_requests_with_an_id_are_signed_with_both_secrets_of_a_rotation(
        self, odd: Program, allowing: Allowing, tmp_path: Path
    ) -> None:
        class Rotated:
            def get(self, name: str) -> str | None:
                return self.versions(name)[0]

            def versions(self, name: str) -> tuple[str, ...]:
                return {"worker": ("new", "old")}.get(name, ())

        http = allowing(f"http://127.0.0.2:{odd.port}", http_signing_keys=("worker", "missing"))
        http.keystore = Rotated()
        url = f"http://127.0.0.2:{odd.port}/"
        http.post(url, {"n": 1}, message_id="job_1:2")
        http.post(url, {"n": 1})
        signed, plain = requests(tmp_path / "odd.log")
        assert signed["headers"]["webhook-id"] == "job_1:2"
        assert len(signed["headers"]["webhook-signature"].split()) == 2
        assert "webhook-id" not in plain["headers"]
        with pytest.raises(Misconfigured, match="no secret 'missing'"):
            http.post(url, {}, message_id="x", signing_key="missing")
        with pytest.raises(Misconfigured, match="not a key for signing"):
            http.post(url, {}, message_id="x", signing_key="OPENAI_API_KEY")


def test_a_wrong_setting_names_itself() -> None:
    for name, value in [
        ("http_allow", "https://host/path"),
        ("http_allow", "*"),
        ("http_allow", "user@host"),
        ("http_allow", "host:70000"),
        ("http_allow_private", "10.0.0.1/8"),
        ("http_nameserver", "ns.example.com"),
        ("http_nameserver", "127.0.0.1:0"),
    ]:
        with pytest.raises(ValueError, match=name):
            Settings(**{name: value})


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::1",
        "::",
        "fe80::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "2001:db8::1",
    ],
)
def test_addresses_that_are_nobodys_business(address: str) -> None:
    from agent_console.domain.destinations import check_address

    with pytest.raises(Refused):
        check_address("host", ipaddress.ip_address(address), ())


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_public_addresses_pass(address: str) -> None:
    from agent_console.domain.destinations import check_address

    check_address("host", ipaddress.ip_address(address), ())
