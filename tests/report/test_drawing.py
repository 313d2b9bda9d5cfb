import io

import numpy as np
from PIL import Image

from trainwright.data.objects import Keypoints, Objects
from trainwright.report.drawing import SIDE, Tile, draw_grid


def drawn(*tiles, columns=6):
    return np.asarray(Image.open(io.BytesIO(draw_grid(tiles, columns))).convert("RGB")).astype(int)


def test_tiles_stand_side_by_side_and_wrap():
    tile = Tile(["name"], np.full((20, 20, 3), 90, dtype=np.uint8))
    row, wrapped = drawn(tile, tile, tile), drawn(tile, tile, tile, columns=2)
    assert row.shape[1] > wrapped.shape[1]
    assert (row == 90).all(axis=2).sum() == 3 * SIDE * SIDE
    assert (wrapped == 90).all(axis=2).sum() == 3 * SIDE * SIDE


def test_a_box_and_its_points_are_drawn_where_they_are():
    points = Keypoints(np.array([[[50.0, 50.0, 2], [0, 0, 0]]]), ("a", "b"), edges=((0, 1),))
    objects = Objects((100, 100), ("cell",), np.array([[20.0, 30, 80, 90]]), keypoints=points)
    plain = np.zeros((100, 100, 3), dtype=np.uint8)
    changed = (drawn(Tile([""], plain, objects)) != drawn(Tile([""], plain))).any(axis=2)
    rows, columns = np.nonzero(changed)
    scale, edge = SIDE / 100, 10
    assert abs(columns.min() - (edge + 20 * scale)) <= 2
    assert abs(columns.max() - (edge + 80 * scale)) <= 2
    assert abs(rows.min() - (edge + 30 * scale)) <= 2
    assert abs(rows.max() - (edge + 90 * scale)) <= 2
    assert changed[round(edge + 50 * scale), round(edge + 50 * scale)]


def test_a_class_has_its_colour_whatever_else_is_in_the_picture():
    plain, box = np.zeros((100, 100, 3), dtype=np.uint8), [20.0, 30, 80, 90]
    both = Objects((100, 100), ("cell", "dot"), np.array([[1.0, 1, 5, 5], box]))
    alone = Objects((100, 100), ("dot",), np.array([box]))
    row, column = 10 + 120, 10 + 40  # the middle of the box's left edge, at twice the size
    drawings = [drawn(Tile([""], plain, it, ("cell", "dot"))) for it in (both, alone)]
    colours = [picture[row, column] for picture in drawings]
    assert (colours[0] == colours[1]).all() and colours[0].any()
    assert (drawn(Tile([""], plain, alone, ("dot", "cell")))[row, column] != colours[0]).any()


def test_a_pair_stands_side_by_side():
    left, right = (np.full((20, 20, 3), value, dtype=np.uint8) for value in (90, 60))
    tile = Tile([""], left, beside=[right])
    picture = drawn(tile, tile)
    columns = [np.nonzero((picture == value).all(axis=2).any(axis=0))[0] for value in (90, 60)]
    assert columns[0].min() < columns[1].min() < columns[0].max() < columns[1].max()
    assert (picture == 60).all(axis=2).sum() == 2 * SIDE * SIDE


def test_a_mask_tints_every_class_but_not_void():
    mask = np.zeros((10, 10), dtype=np.int64)
    mask[:, 3:6], mask[:, 6:] = 1, 255
    gray = np.full((10, 10, 1), 100, dtype=np.uint8)
    changed = (drawn(Tile([""], gray, mask=mask)) != drawn(Tile([""], gray))).any(axis=2)
    assert changed.sum() == SIDE * SIDE * 6 // 10


def test_a_box_that_is_no_box_and_odd_letters_do_no_harm():
    objects = Objects((10, 10), ("żaba", "x"), np.array([[np.nan, 0, 1, 1], [5.0, 5, 1, 1]]))
    assert drawn(Tile(["日本 " * 30], np.zeros((10, 10, 3), dtype=np.uint8), objects)).shape[2] == 3


def test_series_with_gaps_are_drawn_and_empty_ones_too():
    values = np.sin(np.arange(50.0))[:, None]
    values[10:20] = np.nan
    assert (drawn(Tile([""], curves=values)) != 255).any()
    assert drawn(Tile([""], curves=np.full((3, 1), np.nan))).size
