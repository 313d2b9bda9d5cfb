"""What is alive before a training is looked at by no collection in it, and by those after it."""

from __future__ import annotations

import gc
import weakref

import pytest

from trainwright.engine.garbage import only_new_garbage


def test_what_is_alive_is_left_out_until_the_end():
    before = gc.get_freeze_count()
    held = [[] for _ in range(1000)]
    with only_new_garbage():
        assert gc.get_freeze_count() >= before + len(held)
    assert gc.get_freeze_count() == 0


def test_also_after_an_error():
    with pytest.raises(KeyError), only_new_garbage():
        raise KeyError
    assert gc.get_freeze_count() == 0


def test_garbage_of_before_is_gone():
    class Node:
        """Part of a cycle, which only the collector can free."""

    gone = []
    node = Node()
    node.itself = node
    weakref.finalize(node, gone.append, True)
    del node
    with only_new_garbage():
        assert gone == [True]
