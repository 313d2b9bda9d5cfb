"""How much each dimension of a search explains of an objective."""

from __future__ import annotations

import numpy as np

from trainwright.metrics.arrays import Floats

FEWEST = 10  # trials, below which a share would be chance


def importance(places: Floats, values: Floats, *, repeats: int = 20) -> Floats | None:
    """Shares of the dimensions, of which all together are 1.

    A random forest is fitted to the trials; the share of a dimension is by how much the forest's squared
    error grows when its values are exchanged among the trials (Breiman, Random Forests, 2001).

    Args:
        places: Where each trial lies `[N, D]`, NaN where a dimension was not active.
        values: The objective `[N]`.
        repeats: Exchanges that are averaged.

    Returns:
        `[D]`; None where there are too few trials or all have the same value.
    """
    values = np.argsort(np.argsort(values)).astype(np.float64) if len(set(values.tolist())) > 1 else values
    if len(values) < FEWEST or not places.shape[1] or np.ptp(values) == 0:
        return None
    from sklearn.ensemble import RandomForestRegressor

    features = np.where(np.isfinite(places), places, -1.0)
    forest = RandomForestRegressor(n_estimators=100, random_state=0, n_jobs=1).fit(features, values)
    error = np.square(forest.predict(features) - values).mean()
    draws = np.random.default_rng(0)
    shares = np.zeros(features.shape[1])
    for index in range(features.shape[1]):
        for _ in range(repeats):
            exchanged = features.copy()
            exchanged[:, index] = draws.permutation(exchanged[:, index])
            grown = np.square(forest.predict(exchanged) - values).mean() - error
            shares[index] += max(0.0, grown)
    return shares / shares.sum() if shares.sum() > 0 else None
