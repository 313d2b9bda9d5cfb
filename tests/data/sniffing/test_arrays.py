"""Arrays, as `init` takes them."""

import numpy as np

from trainwright.data.sniffing import sniff


def test_arrays_with_splits(tmp_path):
    images = np.zeros((6, 9, 8), dtype=np.uint8)
    np.savez(
        tmp_path / "d.npz", x_train=images, y_train=np.arange(6) % 2, x_test=images, y_test=np.arange(6) % 2
    )
    guess = sniff(tmp_path / "d.npz")
    assert guess.inputs == {"x": {"type": "image", "size": [9, 8]}}
    assert guess.targets == {"y": {"type": "category"}}
    assert (guess.split, guess.size) == ({"val": 0.1}, 12)
