"""The structure of the code: allowed imports, maximum lengths, and fast startup."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from imgcls.config import reader

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "imgcls").rglob("*.py"))
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))

# Section 2 of the design: a part may import from the rows below it. Within a row, one of two
# parts may import the other, except for those in STRANGERS.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"__main__"}),
    frozenset({"cli"}),
    frozenset({"console", "commands"}),
    frozenset({"training", "inference"}),
    frozenset({"evaluation"}),
    frozenset({"network"}),
    frozenset({"data"}),
    frozenset({"config"}),
    frozenset({"images"}),
    frozenset({"runs"}),
    frozenset({"downloads", "ops"}),
    frozenset({"events"}),
    frozenset({"files", "memory"}),
    frozenset({"errors", "filesystem"}),
)
STRANGERS = ({"console", "commands"}, {"training", "inference"}, {"downloads", "ops"})
FORBIDDEN_NAMES = {"utils", "common", "helpers", "base", "core", "manager", "handler"}
PRINTERS = {"console", "cli"}
HEAVY = {"tensorflow", "keras"}
HEAVY_PARTS = {
    "ops",
    "network",
    "training",
    "data",
    "inference",
}  # may import them at the top level ...
LIGHT_MODULES = {  # ... except these
    "imgcls.data.dataset",
    "imgcls.inference.inputs",
    "imgcls.inference.loading",
    "imgcls.inference.predictions",
}
MOST_LINES = 300
LONGER = {
    "imgcls.runs.checkpoints": (350, "saving and loading of one format, with its layout on top"),
    "imgcls.training.trainer": (350, "one loop, whose parts share its state"),
}
"""Modules that may have more lines, and why they are still one idea."""
MOST_FUNCTION_LINES = 60


@cache
def parsed(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"), module)


def dotted(module: Path) -> str:
    return ".".join(module.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


KNOWN = {dotted(module) for module in MODULES}


def imports(module: Path) -> Iterator[str]:
    """Yields every module of ours that a module imports, including inside its functions."""
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{dotted(module)}:{node.lineno} imports relatively"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in KNOWN else str(node.module) for name in inner]
        else:
            continue
        yield from (name for name in names if name == "imgcls" or name.startswith("imgcls."))


def row(name: str) -> int:
    found = [number for number, parts in enumerate(LAYERS) if part(name) in parts]
    assert found, f"{name}: the table of layers has no {part(name)}; see section 2 of the design"
    return found[0]


def part(name: str) -> str:
    return name.split(".")[1]


def wrong(here: str, there: str) -> bool:
    if part(here) == part(there):
        return part(here) == "commands"  # no command needs another
    return row(there) < row(here) or {part(here), part(there)} in STRANGERS


CONFIG_ROWS = ("config", "components", "language")
"""Inside `config/`, imports go downwards, too: the whole, its components, their language."""


def config_row(name: str) -> int:
    inner = name.split(".")[2:3]
    return CONFIG_ROWS.index(inner[0]) if inner and inner[0] in CONFIG_ROWS else 0


IMPORTS = {
    (dotted(module), there)
    for module in MODULES
    for there in imports(module)
    if "imgcls" not in {dotted(module), there}  # the package itself only has the version
}


def test_imports_go_one_way():
    """
    Readers can start at the bottom, and code that must start fast imports nothing slow.
    """
    assert [] == sorted(f"{here} imports {there}" for here, there in IMPORTS if wrong(here, there))


def test_the_config_language_knows_no_component():
    """
    The language can be read and tested without any layer; a layer, without the whole config.
    """
    inside = {(here, there) for here, there in IMPORTS if {part(here), part(there)} == {"config"}}
    below = {"imgcls.config.data_spec"}  # what layers are built from
    upwards = sorted(
        f"{here} imports {there}"
        for here, there in inside
        if config_row(there) < config_row(here) and there not in below
    )

    assert [] == upwards


def test_no_two_parts_import_each_other():
    """
    Parts that need each other are one part, whatever the folders suggest.
    """
    parts = {(part(here), part(there)) for here, there in IMPORTS if part(here) != part(there)}

    assert [] == sorted(each for each in parts if each[::-1] in parts)


def test_images_know_no_tensorflow():
    """
    Images are decoded the same by every command because only Pillow and NumPy are involved.
    """
    knowing = [
        dotted(module)
        for module in MODULES
        if dotted(module).startswith("imgcls.images")
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.Import | ast.ImportFrom)
        and HEAVY & {name.split(".")[0] for name in imported(node)}
    ]

    assert [] == knowing


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [str(node.module)] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]


def top_level(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yields the imports that run on import: not those in functions or for type checkers."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from top_level(node.orelse)
        elif isinstance(node, ast.If | ast.Try | ast.ClassDef | ast.With):
            yield from top_level(node.body)


@pytest.mark.parametrize("module", MODULES, ids=dotted)
def test_only_the_network_imports_tensorflow(module):
    """
    TensorFlow takes 2.5 s to import; help, config errors and run folders must not wait for it.
    """
    heavy = {
        name
        for node in top_level(parsed(module).body)
        for name in imported(node)
        if name.split(".")[0] in HEAVY
    }
    may = part(dotted(module) + ".") in HEAVY_PARTS and dotted(module) not in LIGHT_MODULES

    assert may or not heavy


@pytest.mark.parametrize("module", MODULES, ids=dotted)
def test_a_module_is_one_idea(module):
    """
    A module that fits on a few screens can be read as a whole.
    """
    lines = module.read_text(encoding="utf-8").count("\n")
    long = [
        node.name
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.FunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > MOST_FUNCTION_LINES
    ]

    most, _ = LONGER.get(dotted(module), (MOST_LINES, ""))
    assert lines <= most
    assert [] == long
    assert not FORBIDDEN_NAMES & set(module.relative_to(ROOT).with_suffix("").parts)


def defined(module: Path) -> Iterator[str]:
    """Yields the public names that a module defines at its top level."""
    for node in parsed(module).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [each.id for each in node.targets if isinstance(each, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        else:
            continue
        yield from (name for name in names if not name.startswith("_"))


VERBS = "is called by its module's name, as in `rows.read`"
COMMANDS = "a command, and the function of its options in cli/"
SHARED_NAMES = {
    **dict.fromkeys(("build", "check", "find", "load", "mistakes", "newest"), VERBS),
    **dict.fromkeys(("read", "steps", "sync", "view", "write"), VERBS),
    **dict.fromkeys(("evaluate", "predict", "schema", "train"), COMMANDS),
    "main": "the two entry points, of which one calls the other",
    "BatchNormalization": "Keras' name, of a config's layer and of the Keras layer that it builds",
    "Conv2D": "Keras' name, of a config's layer and of the Keras layer that it builds",
}
"""Names that several modules define, each with a reason."""


def test_no_module_changes_its_own_globals():
    """
    A module's state must not depend on what ran before, or be shared by tests and threads.
    """
    changing = [
        f"{dotted(module)}:{node.lineno}"
        for module in MODULES
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.Global)
    ]

    assert [] == changing


def test_a_name_means_one_thing():
    """
    A search for a name must find one definition, with no doubt which one is meant.
    """
    definitions: dict[str, list[str]] = {}
    for module in MODULES:
        for name in defined(module):
            definitions.setdefault(name, []).append(dotted(module))
    several = {name: places for name, places in definitions.items() if len(places) > 1}

    assert {} == {name: places for name, places in several.items() if name not in SHARED_NAMES}
    assert [] == [name for name in SHARED_NAMES if name not in several]


def prints(module: Path) -> Iterator[int]:
    """Yields the lines that print, except those under `if __name__ == "__main__":`."""
    mains = [
        node
        for node in parsed(module).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"
    ]
    excused = {id(node) for main in mains for node in ast.walk(main)}
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Call) and id(node) not in excused:
            name = ast.unparse(node.func)
            if name == "print" or name in {"sys.stdout.write", "sys.stderr.write"}:
                yield node.lineno


SILENT = [module for module in MODULES if part(dotted(module) + ".") not in PRINTERS]


@pytest.mark.parametrize("module", SILENT, ids=dotted)
def test_only_the_console_prints(module):
    """
    stdout must carry results only, so that `imgcls evaluate --json | jq` works.
    """
    assert [] == list(prints(module))


def loaded_by(code: str) -> set[str]:
    """Returns the heavy modules that a new interpreter has loaded after running this code."""
    heavy = ("tensorflow", "keras", "sklearn", "matplotlib")
    report = f"\nimport sys; print('LOADED', *[m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code + report],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


RUN = """
from imgcls.cli.app import main
import sys
sys.argv = ["imgcls", *{arguments}]
try:
    main()
except SystemExit as end:
    assert end.code == {code}, end.code
"""


@pytest.mark.parametrize("verb", ["", "train", "evaluate", "predict", "check", "schema"])
def test_help_imports_nothing_heavy(verb):
    """
    Users who ask for help must get it within 0.3 s.
    """
    arguments = [*([verb] if verb else []), "--help"]

    assert set() == loaded_by(RUN.format(arguments=arguments, code=0))


def test_the_reader_imports_nothing_heavy():
    """
    Reading a config is only reading text.
    """
    assert set() == loaded_by("import imgcls.config.reader")


@pytest.mark.parametrize("verb", ["train", "check"])
def test_a_wrong_config_is_refused_before_anything_heavy_is_imported(verb, tmp_path):
    """
    A typo must be reported within half a second, not after TensorFlow has started.
    """
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("dataset: {name: digits}\nlayers: [Flaten]\n", encoding="utf-8")

    assert set() == loaded_by(RUN.format(arguments=[verb, str(wrong)], code=4))


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.stem)
def test_every_shipped_config_is_right(config):
    """
    Users start from these configs; none may be outdated.
    """
    assert config.stem == reader.read(config).name


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.stem)
def test_every_shipped_config_says_how_to_run_it(config):
    """
    A config documents a result: its header has the editor schema and the command to reproduce it.
    """
    head = config.read_text(encoding="utf-8").split("dataset:")[0].splitlines()

    assert head[0] == "# yaml-language-server: $schema=imgcls.schema.json"
    assert any(line.startswith(f"#   imgcls train configs/{config.name}") for line in head)


def test_the_table_of_configs_is_not_empty():
    """
    If a folder were renamed, every test over its files would pass without running.
    """
    assert {"digits", "smoke", "cifar10", "photos"} <= {config.stem for config in CONFIGS}
    assert len(MODULES) > 10
