"""Modules that can be called.

``cyclegan.train`` is a package, which ``python -m`` needs, and a function, which Python wants to call. Whatever imports
the package binds it to the name ``train`` in ``cyclegan``; so the package itself has to take the call.
"""

import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


def make_callable(name: str, function: Callable[..., Any]) -> None:
    """Lets the module called ``name`` (its ``__name__``) take calls for ``function``; all else in it stays as it is."""

    class CallableModule(ModuleType):
        __signature__ = inspect.signature(function)  # what editors and notebooks show

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

    sys.modules[name].__class__ = CallableModule
