"""The network learns, repeats itself exactly, and survives being saved."""

import numpy as np

from beta import data
from beta.network import Network, restore, save

PARAMS = {"hidden": 16, "epochs": 150, "rate": 0.02, "decay": 0.01}


def test_it_beats_the_mean():
    x, y = data.load()
    said = Network(PARAMS).fit(x[::2], y[::2]).predict(x[1::2])
    assert np.abs(said - y[1::2]).mean() < 0.8 * np.abs(y[::2].mean() - y[1::2]).mean()


def test_the_same_settings_give_the_same_weights():
    x, y = data.load()
    assert np.array_equal(Network(PARAMS).fit(x, y).predict(x), Network(PARAMS).fit(x, y).predict(x))


def test_saved_and_restored(tmp_path):
    x, y = data.load()
    model = Network(PARAMS).fit(x, y)
    save(model, str(tmp_path / "model.pt"))
    assert np.array_equal(restore(str(tmp_path / "model.pt")).predict(x), model.predict(x))
