"""Recipes: reading, checking, overriding, comparing, identifying and explaining them. No torch."""

from trainwright.recipe.comparing import RecipeChange, diff, diff_with_base
from trainwright.recipe.components import UsedComponent, used_components
from trainwright.recipe.editor_schema import json_schema
from trainwright.recipe.explaining import explain
from trainwright.recipe.loading import LoadedRecipe, load
from trainwright.recipe.locating import located
from trainwright.recipe.nodes import Origin
from trainwright.recipe.salt import Difference, Identity, digest, explain_difference, identity, salt_fields
from trainwright.recipe.schema import Recipe
from trainwright.recipe.shipped import ShippedRecipe, copy_recipe, find, read_shipped, shipped, shipped_names
from trainwright.recipe.writing import emit

__all__ = [
    "Difference",
    "Identity",
    "LoadedRecipe",
    "Origin",
    "Recipe",
    "RecipeChange",
    "ShippedRecipe",
    "UsedComponent",
    "copy_recipe",
    "diff",
    "diff_with_base",
    "digest",
    "emit",
    "explain",
    "explain_difference",
    "find",
    "identity",
    "json_schema",
    "load",
    "located",
    "read_shipped",
    "salt_fields",
    "shipped",
    "shipped_names",
    "used_components",
]
