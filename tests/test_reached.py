"""A room earns its place: every name of igviz is reached from a notebook, a panel, an exercise or the README.

From the readers' code the test follows imports, attributes and calls by name, module by module, until nothing
new is reached. A method counts as reached if its class is and anything reached uses its name.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import igviz

ROOT = Path(__file__).resolve().parent.parent
ENTRIES = ("igviz.jupyter", "igviz.environment", "igviz.loading")
READERS = ("igviz.panels", "igviz.exercises")  # whose modules are read whole
# name -> why it may stay although no reader reaches it; at most three
EXCEPTIONS: dict[str, str] = {
    "igviz.models.vae.VAE.load": "the other half of `save`, which a reader's own training needs",
    "igviz.models.vae_storage.load": "what `VAE.load` calls",
    "igviz.panels.engine.panel.Panel.compute": "the Train button without a page: for stills and measurements",
}


class Thing(NamedTuple):
    """A module, a top-level name of it, or a method of a class of it."""

    module: str
    name: str = ""
    method: str = ""

    def __str__(self) -> str:
        return ".".join(part for part in self if part)


Parts = dict[Thing, list[ast.AST]]


def modules(root: Path) -> dict[str, ast.Module]:
    """Return the trees of all modules below a folder that holds igviz, by dotted name."""
    found = {}
    for path in sorted((root / "igviz").rglob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def only_typed(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def imports(tree: ast.AST, known: dict[str, ast.Module]) -> dict[str, Thing]:
    """Return what the imported names of a tree stand for, those of igviz only."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                if one.name in known:
                    found[one.asname or one.name.partition(".")[0]] = Thing(
                        one.name if one.asname else one.name.partition(".")[0]
                    )
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "igviz":
            for one in node.names:
                inner = f"{node.module}.{one.name}"
                found[one.asname or one.name] = (
                    Thing(inner) if inner in known else Thing(node.module, one.name)
                )
    return found


def parts_of(name: str, tree: ast.Module) -> Iterator[tuple[Thing, list[ast.AST]]]:
    """Yield the module's own statements, each top-level definition, and each public method."""
    loose: list[ast.AST] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("__"):
            yield Thing(name, node.name), [node]
        elif isinstance(node, ast.ClassDef):
            methods = [one for one in node.body if isinstance(one, ast.FunctionDef)]
            special = [one for one in methods if one.name.startswith(("__", "_repr_", "_sympy_"))]
            rest = [one for one in node.body if not isinstance(one, ast.FunctionDef)]
            yield Thing(name, node.name), [*node.bases, *node.keywords, *node.decorator_list, *special, *rest]
            for one in methods:
                if one not in special:
                    yield Thing(name, node.name, one.name), [one]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)]
            for one in names:
                yield Thing(name, one), [node]
            if not names:
                loose.append(node)
        elif not isinstance(node, ast.Import | ast.ImportFrom) and not only_typed(node):
            loose.append(node)
    yield Thing(name), loose


def uses(nodes: Iterable[ast.AST], scope: dict[str, Thing], house: House) -> tuple[set[Thing], set[str]]:
    """Return the things that some code names, and all attributes it asks for."""
    found, attributes = set(), set()
    for node in nodes:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Attribute):
                attributes.add(inner.attr)
                thing = house.named(inner, scope)
                if thing:
                    found.add(thing)
            elif isinstance(inner, ast.Name) and inner.id in scope:
                found.add(scope[inner.id])
            elif (
                isinstance(inner, ast.Constant)
                and isinstance(inner.value, str)
                and inner.value.isidentifier()
            ):
                attributes.add(inner.value)  # getattr by a name, a table of names, the beginning of a name
    return found, attributes


def asks_for(method: str, attributes: set[str]) -> bool:
    beginnings = (method[: place + 1] for place, letter in enumerate(method) if letter == "_" and place)
    return method in attributes or any(one in attributes for one in beginnings)


class House:
    """All of igviz, and what its readers reach."""

    def __init__(self, root: Path, home: dict[str, str]) -> None:
        self.trees, self.home = modules(root), home
        self.parts: Parts = {}
        self.foreign: set[Thing] = set()  # classes built on others' classes, which call what they override
        self.scopes: dict[str, dict[str, Thing]] = {}
        for name, tree in self.trees.items():
            for thing, nodes in parts_of(name, tree):
                self.parts.setdefault(thing, []).extend(nodes)
            for node in tree.body:
                if isinstance(node, ast.ClassDef) and any(self._is_foreign(one, tree) for one in node.bases):
                    self.foreign.add(Thing(name, node.name))
            own = {
                thing.name: thing
                for thing in self.parts
                if thing.module == name and not thing.method and thing.name
            }
            self.scopes[name] = imports(tree, self.trees) | own
        self.methods = [thing for thing in self.parts if thing.method]
        self.named_parts = {(thing.module, thing.name) for thing in self.parts if thing.name}

    def _is_foreign(self, base: ast.expr, tree: ast.Module) -> bool:
        root = base
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        own = {node.name for node in tree.body if isinstance(node, ast.ClassDef)} | set(
            imports(tree, self.trees)
        )
        return isinstance(root, ast.Name) and root.id not in own | {
            "ABC",
            "NamedTuple",
            "Protocol",
            "TypedDict",
        }

    def named(self, node: ast.Attribute, scope: dict[str, Thing]) -> Thing | None:
        """Return what a dotted name such as ``ig.panels.elbo`` or ``numerics.as_numbers`` stands for."""
        if isinstance(node.value, ast.Name):
            base = scope.get(node.value.id)
        else:
            base = self.named(node.value, scope) if isinstance(node.value, ast.Attribute) else None
        if base is None or base.name:
            return None
        inner = f"{base.module}.{node.attr}"
        if inner in self.trees:
            return Thing(inner)
        if base.module == "igviz" and node.attr in self.home:
            return self.public(node.attr)
        return self.scopes[base.module].get(node.attr)

    def public(self, name: str) -> Thing:
        """Return what a public name of ``igviz`` stands for, which may be a module."""
        module = self.home[name]
        return (
            Thing(module)
            if module.endswith(f".{name}") and (module, name) not in self.named_parts
            else Thing(module, name)
        )

    def resolved(self, thing: Thing) -> Thing:
        """Follow a name that a module only passes on to where it is defined."""
        while thing.name and thing not in self.parts:
            onward = self.scopes.get(thing.module, {}).get(thing.name)
            if onward is None and thing.module == "igviz" and thing.name in self.home:
                onward = self.public(thing.name)
            if onward is None or onward == thing:
                return thing
            thing = onward
        return thing

    def reached(self, sources: Iterable[str]) -> set[Thing]:
        """Return everything that code of readers, panels, exercises and entries leads to."""
        todo: set[Thing] = set()
        attributes: set[str] = set()
        for source in sources:
            tree = ast.parse(source)
            things, asked = uses([tree], imports(tree, self.trees), self)
            todo |= things | set(imports(tree, self.trees).values())
            attributes |= asked
        whole = [name for name in self.trees if name in ENTRIES or name.startswith(READERS)]
        todo |= {thing for thing in self.parts if thing.module in whole and not thing.method}
        done: set[Thing] = set()
        while todo:
            thing = self.resolved(todo.pop())
            if thing not in done and thing in self.parts:
                done.add(thing)
                things, asked = uses(self.parts[thing], self.scopes[thing.module], self)
                attributes |= asked
                todo |= things | {Thing(thing.module)} - done
            if not todo:
                # a method that overrides one of a class from elsewhere is called from there
                todo = {
                    one for one in self.methods
                    if one not in done and Thing(one.module, one.name) in done
                    and (asks_for(one.method, attributes) or Thing(one.module, one.name) in self.foreign)
                }  # fmt: skip
        return done

    def unreached(self, sources: Iterable[str]) -> list[str]:
        """Return the names of what no reader reaches, except what is private to a class."""
        done = self.reached(sources)
        names = {str(thing) for thing in self.parts if thing not in done and self._counts(thing)}
        return sorted(name for name in names if not any(name.startswith(f"{other}.") for other in names))

    def _counts(self, thing: Thing) -> bool:
        # a module of which nothing is reached is seen by its names
        return bool(thing.name) and not thing.name.startswith("__")


def readers() -> Iterator[str]:
    """Yield the code that readers see: the cells of each notebook and the blocks of the README."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        yield "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    yield "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))


def test_every_name_is_reached():
    assert len(EXCEPTIONS) <= 3
    unreached = House(ROOT, igviz._HOME).unreached(readers())
    assert sorted(set(unreached) - set(EXCEPTIONS)) == []
    assert set(EXCEPTIONS) <= set(unreached), "an exception that is not needed"
