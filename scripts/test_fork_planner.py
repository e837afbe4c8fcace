"""scripts/fork-dynamo --planner: patches the planner of the wheel, undoes it, and refuses what it does not know."""

import hashlib
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from test_fork_dynamo import ROOT, contents, fork

PLANNER = "dynamo/planner"
TOUCHED = f"{PLANNER}/core/base.py"
SHIM = f"{PLANNER}/nashtrace_planner.py"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The published wheel, unpacked as pip would, and the one that UPSTREAM.toml names."""
    folder = tmp_path_factory.mktemp("wheel")
    (upstream,) = tomllib.loads((ROOT / "patches/dynamo-1.6.1/UPSTREAM.toml").read_text())["python"]
    pinned = f"{upstream['name']}=={upstream['version']}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, pinned]
    subprocess.run(command, check=True)
    file = folder / upstream["wheel"]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == upstream["checksum"]
    zipfile.ZipFile(file).extractall(folder / "site-packages")
    return folder / "site-packages"


@pytest.fixture
def packages(wheel, tmp_path) -> Path:
    shutil.copytree(wheel / PLANNER, tmp_path / "site-packages" / PLANNER)
    return tmp_path / "site-packages"


def test_the_planner_is_patched_once_and_restored_exactly(packages):
    before = contents(packages)
    first = fork("--planner", packages)
    assert first.returncode == 0, first.stderr
    patched = contents(packages)
    changed = {str(path) for path in patched if patched[path] != before.get(path)}
    assert {TOUCHED, SHIM} < changed and len(first.stdout.splitlines()) == len(changed) == 4
    for path in changed:
        compile(patched[Path(path)], path, "exec")

    again = fork("--planner", packages)
    assert again.returncode == 0 and again.stdout == f"{packages} is patched already\n"
    assert contents(packages) == patched

    undone = fork("--planner", packages, "--undo")
    assert undone.returncode == 0, undone.stderr
    assert contents(packages) == before
    assert fork("--planner", packages, "--undo").stdout == f"{packages} is not patched\n"


def test_another_planner_is_refused_and_nothing_is_changed(packages):
    file = packages / TOUCHED
    file.write_text(file.read_text() + "# local change\n")
    before = contents(packages)
    result = fork("--planner", packages)
    assert result.returncode == 1
    assert result.stderr == (
        f"fork-dynamo: {file} is not the file of ai-dynamo 1.6.1: the patch fits only that one\n"
    )
    assert contents(packages) == before


def test_a_patched_planner_that_was_changed_is_not_undone(packages):
    assert fork("--planner", packages).returncode == 0
    file = packages / TOUCHED
    file.write_text(file.read_text() + "# local change\n")
    before = contents(packages)
    result = fork("--planner", packages, "--undo")
    assert result.returncode == 1
    assert result.stderr.endswith("was changed after it was patched: take that change out first\n")
    assert contents(packages) == before


def test_a_half_patched_planner_and_a_changed_shim_are_refused(packages, wheel):
    assert fork("--planner", packages).returncode == 0
    shutil.copyfile(wheel / TOUCHED, packages / TOUCHED)
    result = fork("--planner", packages)
    assert result.returncode == 1 and "is patched in part" in result.stderr
    (packages / SHIM).write_text("# mine now\n")
    result = fork("--planner", packages, "--undo")
    assert result.returncode == 1 and "is not the shim that was put there" in result.stderr


def test_a_folder_without_a_planner_is_refused(tmp_path):
    result = fork("--planner", tmp_path)
    assert result.returncode == 1
    assert result.stderr == (
        f"fork-dynamo: {tmp_path} holds no Dynamo planner: give the site-packages that ai-dynamo is installed in\n"
    )
    assert fork("--planner", tmp_path, "--all").returncode == 2
