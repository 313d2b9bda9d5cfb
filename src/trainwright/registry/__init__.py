"""Components by name: what a recipe can say, checked against the signatures of what it names."""

from trainwright.registry.building import arguments, bind, build, load
from trainwright.registry.catalogue import describe, kinds, names
from trainwright.registry.checking import Checked, check, validate
from trainwright.registry.info import REQUIRED, UNANNOTATED, ComponentInfo, Parameter
from trainwright.registry.tables import POSITIONAL, TABLES
from trainwright.registry.timm_catalogue import timm_names
from trainwright.registry.user_code import import_user_module, search_in

__all__ = [
    "POSITIONAL",
    "REQUIRED",
    "TABLES",
    "UNANNOTATED",
    "Checked",
    "ComponentInfo",
    "Parameter",
    "arguments",
    "bind",
    "build",
    "check",
    "describe",
    "import_user_module",
    "kinds",
    "load",
    "names",
    "search_in",
    "timm_names",
    "validate",
]
