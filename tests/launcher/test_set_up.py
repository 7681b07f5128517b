import pytest

from launcher import set_up
from launcher.set_up import SetUpError


@pytest.fixture
def environment(tmp_path, monkeypatch):
    monkeypatch.setattr(set_up, "ENVIRONMENT", tmp_path / ".venv")
    locks = {"run": tmp_path / "requirements.lock", "dev": tmp_path / "requirements-dev.lock"}
    for file in locks.values():
        file.write_text(f"# {file.name}\n")
    monkeypatch.setattr(set_up, "LOCKS", locks)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()
    return locks


def stamp(kind):
    set_up._stamp_file().write_text(set_up._stamp(kind))


def test_an_environment_without_a_stamp_is_made_again(environment):
    assert not set_up.is_installed("run")


def test_a_changed_lock_file_is_installed_again(environment):
    stamp("run")
    assert set_up.is_installed("run")
    environment["run"].write_text("# newer\n")
    assert not set_up.is_installed("run")


def test_an_environment_for_developers_serves_users_but_not_the_other_way_round(environment):
    stamp("dev")
    assert set_up.is_installed("run")
    stamp("run")
    assert not set_up.is_installed("dev")


def test_a_changed_lock_file_leaves_developers_their_tools(environment, monkeypatch):
    installed = []
    monkeypatch.setattr(set_up, "_make_environment", lambda: None)
    monkeypatch.setattr(set_up, "_install", installed.append)
    monkeypatch.setattr(set_up, "_run", lambda command, failed: None)
    stamp("dev")
    environment["dev"].write_text("# newer\n")
    set_up.set_up("run")
    assert installed == [environment["dev"]]
    assert set_up.is_installed("dev")


@pytest.mark.parametrize(("has_pip", "makes"), [(True, 0), (False, 1)])
def test_an_environment_whose_making_was_interrupted_is_made_again(environment, monkeypatch, has_pip, makes):
    commands = []
    monkeypatch.setattr(set_up, "_run", lambda command, failed: commands.append(command[1:4]))
    if has_pip:
        (set_up.ENVIRONMENT / "bin" / "pip").touch()
    set_up._make_environment()
    assert commands.count(["-m", "venv", "--clear"]) == makes
    assert commands[-1] == ["-m", "pip", "install"]


def test_a_full_disk_is_told_before_anything_is_installed():
    with pytest.raises(SetUpError, match=r"The environment needs 4 GB of disk, found 3\.5 GB free"):
        set_up.require_room(7 * 2**29)


def test_a_disk_with_room_is_accepted():
    set_up.require_room(4 * 2**30)


def test_a_python_without_venv_is_told_which_package_brings_it(monkeypatch):
    monkeypatch.setattr(set_up, "find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(SetUpError, match=r"apt install python3\.11-venv"):
        set_up.require_machine()


def test_another_python_is_refused(monkeypatch):
    monkeypatch.setattr(set_up.sys, "version_info", (3, 13, 0))
    with pytest.raises(SetUpError, match=r"Python 3\.11 is needed"):
        set_up.require_machine()


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("error: failed to write: No space left on device (os error 28)", "there is no room on the disk"),
        ("because duckdb==1.5 has no wheels with a matching platform tag", "a package has no wheel for this platform"),
        ("`x==1` doesn't have a source distribution or wheel for the current platform", "a package has no wheel for this platform"),
        ("  Caused by: dns error: failed to lookup address information", "no connection to the package index"),
        ("  Caused by: invalid peer certificate: UnknownIssuer", "the package index's certificate is not trusted"),
        ("Hash mismatch for `numpy==2.4.6`", "a package is not the file that the lock names"),
        ("first line\nsomething new\n", "something new"),
        ("", "no reason was given"),
    ],
)
def test_the_installers_words_become_one_phrase(words, meaning):
    assert set_up.reason(words).startswith(meaning)
