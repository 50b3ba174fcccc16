"""Every keystore keeps what it is given, shows it to nobody else, and survives interruptions."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

from agent_console.domain.errors import Invalid, Misconfigured, Unavailable
from agent_console.gateways import keystore_file, private_files
from agent_console.gateways.keystore import (
    EnvironmentKeystore,
    LayeredKeystore,
    SecretStore,
    open_keystore,
    open_store,
)
from agent_console.gateways.keystore_file import FileKeystore
from agent_console.gateways.keystore_system import SystemKeystore
from agent_console.settings import Settings

CANARY = "canary-3f9c2d71e5b84a06"


class MemoryKeyring(KeyringBackend):
    """A system keyring that lives as long as the test."""

    priority = 5  # type: ignore[assignment]

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("ask the person at the screen")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.held:
            raise PasswordDeleteError("not there")
        del self.held[service, username]


Reopen = Callable[[], SecretStore]


@pytest.fixture(params=["key file", "passphrase", "keyring"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Reopen:
    """Return a function that opens the same store of each kind as another process would."""
    if request.param == "keyring":
        backend = MemoryKeyring()
        return lambda: SystemKeystore(tmp_path, backend)
    passphrase = "five words that are long" if request.param == "passphrase" else None
    return lambda: FileKeystore(tmp_path, passphrase=passphrase)


@pytest.fixture(autouse=True)
def _cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keystore_file, "SCRYPT_COST", 2)


def test_a_secret_comes_back_whole(reopen: Reopen) -> None:
    value = f"-----BEGIN X-----\n{CANARY} ünï\t\U0001f511\n-----END X-----"
    assert reopen().get("signing.key") is None
    made = reopen().put("signing.key", value)
    assert (made.name, made.version, made.previous) == ("signing.key", 1, False)
    assert reopen().get("signing.key") == value
    assert reopen().versions("signing.key") == (value,)
    assert reopen().get("signing.other") is None


def test_setting_forgets_and_rotating_keeps_the_one_before(reopen: Reopen) -> None:
    store = reopen()
    store.put("hook", "one")
    assert store.put("hook", "two", keep_previous=True).previous
    assert reopen().versions("hook") == ("two", "one")
    store.put("hook", "three", keep_previous=True)
    assert reopen().versions("hook") == ("three", "two")
    assert store.put("hook", "four").version == 4
    assert reopen().versions("hook") == ("four",)


def test_names_are_listed_without_values(reopen: Reopen) -> None:
    for name in ("b.key", "A_KEY"):
        reopen().put(name, CANARY)
    found = reopen().names()
    assert [each.name for each in found] == ["A_KEY", "b.key"]
    assert CANARY not in repr(found)
    assert reopen().delete("A_KEY")
    assert not reopen().delete("A_KEY")
    assert [each.name for each in reopen().names()] == ["b.key"]
    assert reopen().get("A_KEY") is None


@pytest.mark.parametrize("name", ["", ".", "1st", "a b", "a/b", "a\n", "ä", "x" * 129])
def test_a_name_is_plain(reopen: Reopen, name: str) -> None:
    with pytest.raises(Invalid):
        reopen().put(name, "value")


@pytest.mark.parametrize("value", ["", "a\0b", "\ud800", "x" * 65_537])
def test_a_value_is_text_of_a_sensible_size(reopen: Reopen, value: str) -> None:
    with pytest.raises(Invalid):
        reopen().put("name", value)
    assert reopen().names() == []


def test_threads_that_write_at_once_lose_nothing(reopen: Reopen) -> None:
    gate = threading.Barrier(8)
    shared = reopen()

    def write(number: int) -> None:
        gate.wait()
        (shared if number % 2 else reopen()).put(f"key{number}", str(number))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each.name for each in reopen().names()} == {f"key{n}" for n in range(8)}


def _put(folder: Path, number: int) -> None:
    FileKeystore(folder).put(f"key{number}", str(number))


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_put, args=(tmp_path, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert len(FileKeystore(tmp_path).names()) == 4


def test_files_are_private_and_show_neither_names_nor_values(tmp_path: Path) -> None:
    FileKeystore(tmp_path).put("provider.key", CANARY)
    written = {path.name: path for path in tmp_path.iterdir()}
    assert set(written) == {"keystore.json", "keystore.key", "keystore.lock"}
    for path in written.values():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert CANARY.encode() not in path.read_bytes()
        assert b"provider.key" not in path.read_bytes()


def test_asking_makes_no_file(tmp_path: Path) -> None:
    store = FileKeystore(tmp_path / "data")
    assert store.get("name") is None
    assert store.names() == []
    assert not store.delete("name")
    assert not (tmp_path / "data").exists()


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    FileKeystore(tmp_path).put("name", CANARY)
    (tmp_path / "keystore.key").chmod(0o640)
    with pytest.raises(Misconfigured, match="chmod 600"):
        FileKeystore(tmp_path).get("name")


def test_a_missing_key_or_passphrase_is_named_and_nothing_is_overwritten(tmp_path: Path) -> None:
    FileKeystore(tmp_path).put("name", CANARY)
    key = tmp_path / "keystore.key"
    kept = key.rename(tmp_path / "elsewhere")
    before = (tmp_path / "keystore.json").read_bytes()
    for attempt in (lambda s: s.get("name"), lambda s: s.put("name", "other")):
        with pytest.raises(Misconfigured, match="KEYSTORE_KEY_FILE"):
            attempt(FileKeystore(tmp_path))
    assert (tmp_path / "keystore.json").read_bytes() == before
    assert not key.exists()
    assert FileKeystore(tmp_path, key_file=kept).get("name") == CANARY
    other = FileKeystore(tmp_path / "other", passphrase="right")
    other.put("name", CANARY)
    with pytest.raises(Misconfigured, match="KEYSTORE_PASSPHRASE"):
        FileKeystore(tmp_path / "other").get("name")
    with pytest.raises(Misconfigured, match="the passphrase is not the one"):
        FileKeystore(tmp_path / "other", passphrase="wrong").get("name")


@pytest.mark.parametrize("change", ["flip", "cut", "swap", "nonsense", "newer"])
def test_a_changed_file_is_noticed(tmp_path: Path, change: str) -> None:
    store = FileKeystore(tmp_path)
    store.put("name", CANARY)
    document = json.loads(store.path.read_bytes())
    token = document["records"]
    other = "A" if token[60] != "A" else "B"
    document |= {
        "flip": {"records": token[:60] + other + token[61:]},
        "cut": {"records": token[:-8]},
        "swap": {"records": token[::-1]},
        "nonsense": {"records": None},
        "newer": {"format": 2},
    }[change]
    store.path.write_text(json.dumps(document), "utf-8")
    with pytest.raises(Misconfigured):
        FileKeystore(tmp_path).get("name")


def test_a_new_key_opens_and_the_old_one_does_not(tmp_path: Path) -> None:
    store = FileKeystore(tmp_path)
    store.put("name", CANARY)
    old = store.key_path.read_bytes()
    store.rekey()
    assert FileKeystore(tmp_path).get("name") == CANARY
    assert store.key_path.read_bytes() != old
    private_files.write_private(tmp_path / "old.key", old)
    with pytest.raises(Misconfigured, match="not the one"):
        FileKeystore(tmp_path, key_file=tmp_path / "old.key").get("name")


@pytest.mark.parametrize("dies_at", [1, 2, 3])
def test_a_change_of_the_key_that_is_interrupted_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    FileKeystore(tmp_path).put("name", CANARY)
    writes = 0

    def write(path: Path, content: bytes) -> None:
        nonlocal writes
        writes += 1
        if writes == dies_at:
            raise OSError("the power failed")
        private_files.write_private(path, content)

    monkeypatch.setattr(keystore_file, "write_private", write)
    with pytest.raises(OSError, match="power"):
        FileKeystore(tmp_path).rekey()
    monkeypatch.undo()
    assert FileKeystore(tmp_path).get("name") == CANARY
    FileKeystore(tmp_path).rekey()
    assert FileKeystore(tmp_path).get("name") == CANARY
    assert len((tmp_path / "keystore.key").read_bytes().split()) == 1


def test_a_store_goes_over_to_a_passphrase_and_to_another(tmp_path: Path) -> None:
    FileKeystore(tmp_path).put("name", CANARY)
    configured = FileKeystore(tmp_path, passphrase="first words")
    assert not configured.wants_new_passphrase
    assert configured.get("name") == CANARY
    configured.rekey()
    assert not configured.key_path.exists()
    assert configured.wants_new_passphrase
    configured.rekey("second words")
    assert FileKeystore(tmp_path, passphrase="second words").get("name") == CANARY
    with pytest.raises(Misconfigured):
        FileKeystore(tmp_path, passphrase="first words").get("name")


def test_a_write_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileKeystore(tmp_path)
    store.put("name", CANARY)

    def full(_descriptor: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.put("name", "other")
    monkeypatch.undo()
    assert FileKeystore(tmp_path).get("name") == CANARY
    assert not list(tmp_path.glob("*.tmp")) + list(tmp_path.glob(".*.tmp"))


def test_the_system_keyring_is_refused_when_it_protects_nothing(tmp_path: Path) -> None:
    class Plain(MemoryKeyring):
        priority = 0.5  # type: ignore[assignment]

    with pytest.raises(Misconfigured, match="no keyring"):
        SystemKeystore(tmp_path, Plain())


def test_a_locked_keyring_is_an_outage_not_a_missing_secret(tmp_path: Path) -> None:
    backend = MemoryKeyring()
    store = SystemKeystore(tmp_path, backend)
    store.put("name", CANARY)
    backend.locked = True
    with pytest.raises(Unavailable, match="KeyringLocked"):
        store.get("name")


def test_the_environment_goes_before_the_store(tmp_path: Path) -> None:
    store = FileKeystore(tmp_path)
    store.put("webhook.orders", "stored")
    store.put("plain", "stored")
    layered = LayeredKeystore(
        [EnvironmentKeystore({"WEBHOOK_ORDERS": "given", "plain": ""}), store]
    )
    assert layered.get("webhook.orders") == "given"
    assert layered.versions("webhook.orders") == ("given",)
    assert layered.get("plain") == "stored"
    assert layered.get("nothing") is None
    assert layered.versions("nothing") == ()


def test_settings_choose_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_NAME", raising=False)
    settings = Settings(data_dir=tmp_path, keystore_key_file=tmp_path / "apart.key")
    open_store(settings).put("some.name", CANARY)
    assert (tmp_path / "apart.key").exists()
    assert open_keystore(settings).get("some.name") == CANARY
    alone = settings.model_copy(update={"keystore": "environment"})
    assert open_keystore(alone).get("some.name") is None
    with pytest.raises(Misconfigured, match="environment"):
        open_store(alone)
    assert CANARY not in repr(Settings(keystore_passphrase=CANARY))
