"""What must stand nowhere in the code: ways in which data becomes code or a command.

A check takes a syntax tree and says what it found, a line each; `PLANTED` holds for each an example that it must find.
"""

import ast
from collections.abc import Iterator
from typing import Final

MODULES: Final = frozenset(
    {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve", "jsonpickle", "joblib"}
)
"""Modules that make objects, and so calls, of what they read."""
NAMES: Final = frozenset({"eval", "exec", "execfile"})
"""Builtins that execute text."""
SHELLS: Final = frozenset({
    "os.system", "os.popen", "os.spawnl", "os.spawnlp", "commands.getoutput", "subprocess.getoutput",
    "subprocess.getstatusoutput", "asyncio.create_subprocess_shell",
})  # fmt: skip
"""Functions that hand a text to a shell."""
YAML_READERS: Final = frozenset({"load", "load_all", "unsafe_load", "unsafe_load_all", "full_load", "full_load_all"})
YAML_LOADERS: Final = frozenset({"Loader", "CLoader", "FullLoader", "CFullLoader", "UnsafeLoader", "CUnsafeLoader"})
STRICT_LOADER: Final = "_StrictLoader"
"""Ours, derived from SafeLoader; used by its own name only."""
JINJA: Final = frozenset({"Environment", "NativeEnvironment", "Template", "from_string", "compile_expression"})
"""What evaluates templates outside of the sandbox, or templates that are no files."""


def found_in(source: str, name: str = "<source>") -> list[str]:
    """Return what is forbidden in a file, a line each."""
    tree = ast.parse(source, name)
    return [f"{name}:{line}: {what}" for line, what in sorted({*_imports(tree), *_uses(tree)})]


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            yield from ((node.lineno, what) for what in _wrong_import(name))


def _wrong_import(name: str) -> Iterator[str]:
    root, _, rest = name.partition(".")
    if root in MODULES:
        yield f"imports {root}"
    if name in SHELLS:
        yield f"imports {name}"
    if root == "yaml" and rest in YAML_READERS | YAML_LOADERS:
        yield f"imports {name}"
    if root == "pandas":
        yield "imports pandas, which reads pickles"


def _uses(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from ((node.lineno, what) for what in (*_wrong_call(node), *_wrong_template(node)))
        elif isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in {
            f"yaml.{name}" for name in YAML_LOADERS
        }:
            yield node.lineno, f"uses {ast.unparse(node)}"
        elif isinstance(node, ast.Name) and node.id in NAMES:
            yield node.lineno, f"uses {node.id}"


def _wrong_call(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    literal = [item.value for item in call.args if isinstance(item, ast.Constant)]
    if name in {f"builtins.{one}" for one in NAMES} or (name == "getattr" and NAMES & {str(item) for item in literal}):
        yield f"calls {name} for eval or exec"
    if name in {"__import__", "import_module", "importlib.import_module"} and {str(item) for item in literal} & MODULES:
        yield f"imports {literal[0]}"
    if name in SHELLS:
        yield f"calls {name}"
    shell = next((word.value for word in call.keywords if word.arg == "shell"), None)
    if shell is not None and not (isinstance(shell, ast.Constant) and shell.value is False):
        yield f"calls {name} with a shell"
    reader = name.removeprefix("yaml.")
    loaders = [*call.args[1:], *(word.value for word in call.keywords if word.arg == "Loader")]
    strict = reader in {"load", "load_all"} and [ast.unparse(one) for one in loaders] == [STRICT_LOADER]
    if name.startswith("yaml.") and reader in YAML_READERS and not strict:
        yield f"calls {name} without our loader"


def _wrong_template(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    if name.startswith("jinja2.") and name.rpartition(".")[2] in JINJA:
        yield f"calls {name}, which is no sandbox"
    elif name.rpartition(".")[2] in JINJA - {"Template"} or name == "Template":
        yield f"calls {name}, which is no sandbox or takes text for a template"


PLANTED: Final = (
    "import pickle", "from pickle import loads", "import dill as d", "__import__('marshal')",
    "importlib.import_module('shelve')", "eval('1')", "run = exec", "builtins.eval(x)", "getattr(b, 'exec')(x)",
    "yaml.load(x)", "yaml.load(x, Loader=yaml.Loader)", "yaml.load(x, yaml.SafeLoader)", "yaml.unsafe_load(x)",
    "yaml.full_load_all(x)", "from yaml import load", "from yaml import FullLoader", "loader = yaml.UnsafeLoader",
    "subprocess.run(x, shell=True)", "subprocess.Popen(x, shell=flag)", "os.system(x)", "from os import system",
    "os.popen(x)", "subprocess.getoutput(x)", "asyncio.create_subprocess_shell(x)", "jinja2.Template(x)",
    "Environment(loader=x)", "jinja2.Environment()", "NativeEnvironment()", "self._environment.from_string(text)",
    "environment.compile_expression(x)", "import pandas",
)  # fmt: skip
"""Each must be found."""
HARMLESS: Final = (
    "import json", "re.compile(x)", "compile(text, name, 'exec')", "yaml.safe_load", "subprocess.run([x], shell=False)",
    "subprocess.run([x])", "asyncio.create_subprocess_exec(x)", "connection.execute(x)", "loader.exec_module(m)",
    "yaml.load(x, Loader=_StrictLoader)", "self._environment.get_template(name)", "evaluate(x)",
)  # fmt: skip
"""None may be found."""
