"""scripts/fork-dynamo: makes the fork, leaves it alone the second time, undoes it, and refuses what it does not know."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOUCHED = "lib/kv-router/src/scheduling/selector/policy.rs"
SHIM = "lib/kv-router/src/nashtrace.rs"
SIMULATOR = "lib/aisimulate-core"


def fork(*arguments) -> subprocess.CompletedProcess:
    command = [ROOT / "scripts/fork-dynamo", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def contents(tree: Path) -> dict[Path, bytes]:
    files = {file.relative_to(tree): file.read_bytes() for file in tree.rglob("*") if file.is_file()}
    # Only in trees made from packages: what their files were when they had been patched.
    files.pop(Path(".nashtrace-fork.json"), None)
    return files


@pytest.fixture(scope="session")
def published(tmp_path_factory) -> Path:
    """Dynamo's published packages, laid out like its own tree, which has no simulator."""
    tree = tmp_path_factory.mktemp("published")
    result = fork("--plain", "--all", tree)
    assert result.returncode == 0, result.stderr
    shutil.rmtree(tree / SIMULATOR)
    return tree


@pytest.fixture
def checkout(published, tmp_path) -> Path:
    """Stands in for a git checkout: the same files at the same places."""
    tree = tmp_path / "dynamo"
    shutil.copytree(published, tree)
    return tree


def test_a_checkout_is_patched_once_and_restored_exactly(checkout):
    before = contents(checkout)
    first = fork("--git", checkout)
    assert first.returncode == 0, first.stderr
    patched = contents(checkout)
    changed = {str(path) for path in patched if patched[path] != before.get(path)}
    assert TOUCHED in changed and SHIM in changed
    assert len(first.stdout.splitlines()) == len(changed)

    again = fork("--git", checkout)
    assert again.returncode == 0 and again.stdout == f"{checkout} is patched already\n"
    assert contents(checkout) == patched

    undone = fork("--git", checkout, "--undo")
    assert undone.returncode == 0, undone.stderr
    assert contents(checkout) == before
    assert fork("--git", checkout, "--undo").stdout == f"{checkout} is not patched\n"


def test_the_fork_from_packages_equals_the_patched_checkout(checkout, tmp_path):
    made = tmp_path / "made"
    assert fork(made).returncode == 0
    assert not (made / "lib/llm").exists()
    assert fork("--all", made).returncode == 0
    assert fork("--git", checkout).returncode == 0
    assert (made / SIMULATOR / "src/nashtrace.rs").exists()
    shutil.rmtree(made / SIMULATOR)
    assert contents(made) == contents(checkout)


def test_a_fork_that_older_patches_made_gets_the_workspace_of_these(tmp_path):
    assert fork(tmp_path / "made").returncode == 0
    workspace = ROOT / "patches/dynamo-1.6.1/workspace"
    for name in ("Cargo.toml", "Cargo.lock"):
        (tmp_path / "made" / name).write_text("# of older patches\n")
    assert fork(tmp_path / "made").returncode == 0
    for name in ("Cargo.toml", "Cargo.lock"):
        assert (tmp_path / "made" / name).read_text() == (workspace / name).read_text()


def test_patches_only_add_lines():
    for patch in (ROOT / "patches").rglob("*.patch"):
        removed = [
            line for line in patch.read_text().splitlines() if line.startswith("-") and not line.startswith("---")
        ]
        assert not removed, patch


def test_a_file_that_differs_is_refused_and_nothing_is_changed(checkout):
    file = checkout / TOUCHED
    file.write_text(file.read_text() + "// local change\n")
    before = contents(checkout)
    result = fork("--git", checkout)
    assert result.returncode == 1
    assert result.stderr == (
        f"fork-dynamo: {file} is not the file of dynamo-kv-router 1.6.1: the patch fits only that one\n"
    )
    assert contents(checkout) == before


def test_a_patched_file_that_was_changed_is_not_undone(checkout):
    assert fork("--git", checkout).returncode == 0
    file = checkout / TOUCHED
    file.write_text(file.read_text() + "// local change\n")
    before = contents(checkout)
    result = fork("--git", checkout, "--undo")
    assert result.returncode == 1
    assert result.stderr.endswith("was changed after it was patched: take that change out first\n")
    assert contents(checkout) == before


def test_a_missing_file_and_a_foreign_tree_are_refused(checkout, tmp_path):
    (checkout / TOUCHED).unlink()
    result = fork("--git", checkout)
    assert result.returncode == 1 and f"{checkout / TOUCHED} is missing" in result.stderr
    result = fork("--git", tmp_path / "nowhere")
    assert result.returncode == 1 and "is not a directory" in result.stderr


def test_a_half_patched_tree_is_refused(checkout, published):
    assert fork("--git", checkout).returncode == 0
    shutil.copyfile(published / TOUCHED, checkout / TOUCHED)
    result = fork("--git", checkout)
    assert result.returncode == 1 and "is patched in part" in result.stderr
    assert fork("--git", checkout, "--undo").returncode == 0
    assert contents(checkout) == contents(published)


def test_a_tree_of_earlier_patches_is_brought_up_to_date(tmp_path):
    """An earlier patch is one that lacks a line: its tree has that line missing, and says so."""
    made = tmp_path / "made"
    assert fork(made).returncode == 0
    after = contents(made)
    file = made / TOUCHED
    file.write_text(file.read_text().replace("nashtrace", "earlier"))
    stamp = json.loads((made / ".nashtrace-fork.json").read_text())
    router = stamp["dynamo-kv-router"]
    router["patch"] = "that of an earlier patch"
    (made / ".nashtrace-fork.json").write_text(json.dumps(stamp))

    refused = fork(made)
    assert refused.returncode == 1 and "was changed after it was patched" in refused.stderr

    router["files"]["src/scheduling/selector/policy.rs"] = hashlib.sha256(file.read_bytes()).hexdigest()
    (made / ".nashtrace-fork.json").write_text(json.dumps(stamp))
    renewed = fork(made)
    assert renewed.returncode == 0, renewed.stderr
    assert f"renewed {file}" in renewed.stdout
    assert contents(made) == after
    assert fork(made).stdout == f"{made} is patched already\n"


def test_a_patched_tree_is_not_taken_for_a_plain_one(checkout):
    assert fork("--git", checkout).returncode == 0
    result = fork("--plain", checkout)
    assert result.returncode == 1 and "is not as published: choose another directory" in result.stderr


def test_a_shim_that_was_changed_is_not_removed(checkout):
    assert fork("--git", checkout).returncode == 0
    (checkout / SHIM).write_text("// mine now\n")
    result = fork("--git", checkout, "--undo")
    assert result.returncode == 1 and "is not the shim that was put there" in result.stderr
    assert (checkout / SHIM).read_text() == "// mine now\n"


def test_a_tree_that_cannot_be_written_gets_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    result = fork(tmp_path / "file" / "tree")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == f"fork-dynamo: {tmp_path}/file/tree/lib: Not a directory"


def test_wrong_use():
    assert fork("--git", ".", "--plain").returncode == 2
    assert fork("--frobnicate").returncode == 2
    unknown = fork("--version", "0.0.1")
    assert unknown.returncode == 1 and "there are no patches for Dynamo 0.0.1; there are for 1.6.1" in unknown.stderr
