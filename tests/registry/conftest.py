import pytest
from samples import use_samples


@pytest.fixture
def samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample components instead of the shipped ones."""
    use_samples(monkeypatch)
