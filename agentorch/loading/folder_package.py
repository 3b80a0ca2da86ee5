"""A folder of Python files as a private package, so that its files can import each other.

1. Nothing of it is on `sys.path` and it takes nobody's name: `agents/` does not shadow a package `agents`.
2. `from .shared import x` is always understood. `import shared` and `from shared import x` mean the file beside only
   where nothing of that name is installed, and only in a folder that may be executed as a whole.
3. A module is in `sys.modules` before it executes. It is executed again only when it has changed, or a file beside it
   that it imports: its types stay the same types.
"""

import ast
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final
from urllib.parse import unquote

_PREFIX: Final = "agentorch_folder_"


def import_file(path: Path, *, whole: bool) -> ModuleType:
    """Return the module of a file, executed if need be; raises whatever the file raises.

    `whole` says that the folder was named or is of a project, so that any file in it may be executed.
    """
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)
    package = _package_of(path.parent)
    package.agentorch_whole = package.agentorch_whole or whole
    stem = path.stem.replace("%", "%25").replace(".", "%2E")  # a dot would name a module in a module
    name = f"{package.__name__}.{stem}"
    _is_fresh(name, {})
    return importlib.import_module(name)


class _Package(ModuleType):
    """A folder. Its attributes are its modules; hence the long names of what else it knows."""

    agentorch_folder: Path
    agentorch_whole: bool = False


class _Finder:
    """Finds the files of our packages; subfolders with an `__init__.py` are found by Python itself."""

    @classmethod
    def find_spec(cls, fullname: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        """Return the spec of a module of ours."""
        del path, target
        parent, _, stem = fullname.rpartition(".")
        package = sys.modules.get(parent) if parent.startswith(_PREFIX) else None
        if not isinstance(package, _Package):
            return None
        file = package.agentorch_folder / f"{unquote(stem)}.py"
        if not file.is_file():
            return None
        return importlib.util.spec_from_file_location(fullname, file, loader=_Loader(fullname, file, package))


class _Loader(SourceFileLoader):
    """Executes a file; keeps in mind what it was, and which files beside it it imports."""

    def __init__(self, name: str, path: Path, package: _Package) -> None:
        super().__init__(name, str(path))
        self._package = package
        self.digest = b""
        self.used: dict[str, ModuleType | None] = {}
        """Modules beside it, as they were when this one had executed; None when they were not loaded."""

    def get_code(self, fullname: str) -> CodeType:
        """Return the code of what the file holds now: caches go by its date and size."""
        del fullname
        data = self.get_data(self.path)
        self.digest = hashlib.sha256(data).digest()
        return self.source_to_code(data, self.path)

    def source_to_code(self, data: Any, path: Any) -> CodeType:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the code, in which imports of files beside are relative ones."""
        imports = _Imports(self._package, own=Path(self.path).stem)
        tree = ast.fix_missing_locations(imports.visit(ast.parse(data, path)))
        self.used = dict.fromkeys(imports.beside)
        return super().source_to_code(tree, path)

    def exec_module(self, module: ModuleType) -> None:
        """Execute it."""
        super().exec_module(module)
        self.used = {name: sys.modules.get(name) for name in self.used}


class _Imports(ast.NodeTransformer):
    """Makes imports of files beside relative, and lists the modules that they name."""

    def __init__(self, package: _Package, *, own: str) -> None:
        self._package = package
        self._own = own
        self.beside: list[str] = []

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        """`import shared` is `from . import shared`."""
        found: list[ast.stmt] = []
        for alias in node.names:
            if self._is_beside(alias.name):
                self._note(alias.name)
                found.append(ast.ImportFrom(module=None, names=[alias], level=1))
            else:
                found.append(ast.Import(names=[alias]))
        return [ast.copy_location(statement, node) for statement in found]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        """`from shared import x` is `from .shared import x`."""
        if node.level == 0 and node.module and self._is_beside(node.module):
            node.level = 1
        if node.level == 1:
            for name in [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]:
                self._note(name)
        return node

    def _note(self, name: str) -> None:
        self.beside.append(f"{self._package.__name__}.{name}")

    def _is_beside(self, name: str) -> bool:
        if not self._package.agentorch_whole or "." in name or name == self._own:
            return False
        return (self._package.agentorch_folder / f"{name}.py").is_file() and not _is_installed(name)


def beside(module: ModuleType) -> tuple[ModuleType, ...]:
    """Return the modules of the same folder that a module has imported."""
    loader = module.__spec__.loader if module.__spec__ is not None else None
    return tuple(one for one in loader.used.values() if one is not None) if isinstance(loader, _Loader) else ()


def folder_of(module: ModuleType) -> bool | None:
    """Whether any file of a module's folder may be executed; None when the module is of no folder of ours."""
    package = sys.modules.get(module.__name__.rpartition(".")[0])
    return package.agentorch_whole if isinstance(package, _Package) else None


def _package_of(folder: Path) -> _Package:
    name = _PREFIX + hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    package = sys.modules.get(name)
    if not isinstance(package, _Package):
        package = _Package(name)
        package.agentorch_folder = folder
        package.__path__ = [str(folder)]
        package.__spec__ = ModuleSpec(name, None, is_package=True)
        sys.modules[name] = package
    return package


def _is_installed(name: str) -> bool:
    if name in sys.modules:
        return True
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin is not None  # a mere folder of that name has none


def _is_fresh(name: str, seen: dict[str, bool]) -> bool:
    """Whether a module, if it is loaded, is as its file and those that it imports are now; else it is dropped."""
    module = sys.modules.get(name)
    loader = module.__spec__.loader if module is not None and module.__spec__ is not None else None
    if name in seen or not isinstance(loader, _Loader):
        return seen.get(name, True)
    seen[name] = True
    used = [_is_fresh(one, seen) and (was is None or sys.modules.get(one) is was) for one, was in loader.used.items()]
    seen[name] = all(used) and _digest(Path(loader.path)) == loader.digest
    if not seen[name]:
        package, _, stem = name.rpartition(".")
        del sys.modules[name]
        vars(sys.modules[package]).pop(stem, None)
    return seen[name]


def _digest(path: Path) -> bytes | None:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return None
