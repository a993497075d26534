"""The documentation matches the program."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import imgcls
from imgcls import errors
from imgcls.config.language.documentation import field_docs
from imgcls.config.language.registry import Component
from imgcls.config.reference import reference
from imgcls.config.schema import about, is_registry, language
from imgcls.runs import lock
from imgcls.runs.folders import Run

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("[!.]*/**/*.md")])
MEMBERS = [each for each in language() if not (issubclass(each, Component) and is_registry(each))]


def test_the_reference_of_the_config_is_the_code():
    """
    A page written by hand would be wrong after the next change.
    """
    written = (ROOT / "docs/config.md").read_text(encoding="utf-8")

    assert reference() == written, "python -m imgcls.config.reference > docs/config.md"


@pytest.mark.parametrize("section", language(), ids=lambda section: section.__name__)
def test_every_name_of_the_language_is_documented(section):
    """
    These docs are the editor's hover text and the reference: none may be missing.
    """
    assert vars(section)["__doc__"]
    assert about(section).endswith((".", ":", "`"))


@pytest.mark.parametrize("section", MEMBERS, ids=lambda section: section.__name__)
def test_every_key_is_documented(section):
    """
    A key that nobody can look up is a key that nobody uses.
    """
    docs = field_docs(section)

    assert [] == [name for name in section.model_fields if not docs.get(name, "").strip()]


def prose(page):
    """Returns the text of a page without its code blocks, in which `#` starts a comment."""
    return re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(page):
    """Returns the anchors of a page's headings, as GitHub generates them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each).strip().lower().replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_page_or_a_heading_leads_somewhere(page):
    """
    A newcomer who follows a dead link will not follow the next one.
    """
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        target, _, anchor = link.partition("#")
        path = page.parent / target if target else page
        if "://" not in link and not (
            path.exists() and (not anchor or (path.suffix == ".md" and anchor in anchors(path)))
        ):
            dead.append(link)

    assert [] == dead


def test_every_page_is_looked_at():
    """
    If a page moved, its links would no longer be tested.
    """
    names = {str(page.relative_to(ROOT)) for page in PAGES}

    assert {"README.md", "docs/cli.md", "runs/README.md", "benchmarks/README.md"} <= names


def test_the_readme_names_what_is_there():
    """
    The tree in the README is a map for newcomers.
    """
    tree = README.split("## The tree")[1].split("```")[1]
    named = re.findall(r"^( *)([\w./]+)  ", tree, flags=re.MULTILINE)
    inside = {0: "", 2: "imgcls", 4: "imgcls/config"}
    paths = [ROOT / inside[len(indent)] / name for indent, name in named]
    parts = {path for path in (ROOT / "imgcls").iterdir() if not path.name.startswith("_")}

    assert [] == [path for path in paths if not path.exists()]
    assert set() == parts - {*paths, ROOT / "imgcls/py.typed"}


def test_the_page_of_a_run_lists_every_file_that_a_run_may_have():
    """
    Users who find a file in a run should not have to read the code to know what it is.
    """
    page = (ROOT / "runs/README.md").read_text(encoding="utf-8")
    listed = {name.split("/")[0] for name in re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)}
    run = Run(Path("run"))
    properties = [name for name, value in vars(Run).items() if isinstance(value, property)]
    paths = [path for name in properties if isinstance(path := getattr(run, name), Path)]

    assert len(paths) >= 10
    assert set() == {path.name for path in [*paths, run.folder / lock.NAME]} - listed


def test_the_readme_measures_every_shipped_config():
    """
    A config without a row in the table is a promise without numbers.
    """
    table = README.split("## Results")[1].split("\n## ")[0]
    configs = {path.name for path in (ROOT / "configs").glob("*.yaml")} - {"smoke.yaml"}

    assert set() == {name for name in configs if f"configs/{name}" not in table}


def test_ci_runs_the_line_that_the_readme_gives():
    """
    The command that users are told to run must be the one that is known to work.
    """
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    marked = README.split("<!-- test line")[1].split("```")[1]
    commands = [shlex.split(each) for each in marked.splitlines()[1].split(" && ")]

    assert "<!-- test line" in script
    assert [[".venv/bin/pytest", "-m", "timing"], [".venv/bin/pytest", "-n", "2"]] == commands[2:]
    assert ".venv/bin/pytest -" not in script


def test_ci_tells_the_install_from_the_tests():
    """
    If the line is split in the wrong place, CI installs nothing, or runs only some of the tests.
    """
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    cut = "".join(
        f"{line}\n"
        for line in script.splitlines()
        if line.startswith(("line=", "install=", "tests="))
    )
    done = subprocess.run(
        ["bash", "-euc", cut + 'printf "%s\\n" "$install" "$tests"'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    install, tests = done.stdout.splitlines()

    assert install.endswith("pip install -q -e '.[dev]'")
    assert ".venv/bin/pytest -m timing && .venv/bin/pytest -n 2" == tests


def test_the_changelog_knows_this_version():
    """
    Users look there to see what a release changes for them.
    """
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert f"## {imgcls.__version__}" in changelog
    assert "version" in project["project"]["dynamic"]


def test_the_page_of_the_command_line_is_the_code():
    """
    Nobody finds an option that is not on the page.
    """
    written = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    made = subprocess.run(
        [sys.executable, "docs/make_cli.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert made.stdout == written, "python docs/make_cli.py > docs/cli.md"


def test_the_exit_codes_on_the_page_are_those_of_the_errors():
    """
    Schedulers and scripts use them to decide on a retry: a code must never change its meaning.
    """
    page = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    written = re.findall(r"^\| (\d+) \| (\w*) \|", page, flags=re.MULTILINE)
    raised = {each.exit_code: each.name() for each in errors.ImgclsError.__subclasses__()}
    codes = {
        2: "USAGE",
        3: "PARTIAL",
        4: "CONFIG",
        5: "DATA",
        6: "RUN",
        7: "DIVERGED",
        8: "RESOURCE",
        10: "LOCKED",
        11: "MISSED",
    }
    bare = {0: "", 1: errors.ImgclsError.name()}
    signalled = {129: "HUP", 130: "INT", 137: "KILL", 141: "PIPE", 143: "TERM"}

    assert codes == raised
    assert {**bare, **codes, **signalled} == {int(code): name for code, name in written}
