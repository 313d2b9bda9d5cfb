"""Where the published weights of a timm architecture are, on this machine or on the network."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from trainwright.errors import ModelError

_PATIENCE = 5.0  # seconds until a silent server counts as unreachable
_FILES = ("model.safetensors", "pytorch_model.bin")


def pretrained_path(architecture: str, config: dict[str, Any]) -> Path:
    """The file with the published weights, downloaded when it is not in the cache yet.

    Args:
        architecture: timm's name of the network.
        config: Its pretrained configuration as timm gives it.

    Raises:
        ModelError: None are published, or they are not here and cannot be downloaded.
    """
    repository, url = config.get("hf_hub_id"), config.get("url")
    if not repository and not url:
        raise ModelError(
            f"no weights are published for {architecture}",
            where="model.pretrained",
            fix="set pretrained: false, or give your own file as init.path",
        )
    try:
        return _from_hub(repository, config) if repository else _from_url(str(url))
    except Exception as error:
        source = f"model.safetensors of {repository}" if repository else str(url)
        raise ModelError(
            f"the published weights of {architecture} are neither in the cache nor can they be downloaded",
            where="model.pretrained",
            why=str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__,
            fix=f"set pretrained: false and init: {{path: FILE}}, where FILE is a copy of {source}",
        ) from error


def _from_hub(repository: str, config: dict[str, Any]) -> Path:
    from huggingface_hub import constants, hf_hub_download, try_to_load_from_cache

    repository, _, revision = repository.partition("@")
    names = (config["hf_hub_filename"],) if config.get("hf_hub_filename") else _FILES
    for name in names:
        cached = try_to_load_from_cache(repository, name, revision=revision or None)
        if isinstance(cached, str):
            return Path(cached)
    _require_network(constants.ENDPOINT)
    return Path(hf_hub_download(repository, names[0], revision=revision or None, etag_timeout=5))


def _require_network(url: str) -> None:
    """Fails at once: the hub's client would otherwise try again for half a minute."""
    request = urllib.request.Request(url, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=_PATIENCE).close()
    except urllib.error.HTTPError:
        return  # an answer, if a sour one


def _from_url(url: str) -> Path:
    import torch

    target = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not target.is_file():
        _require_network(url)
        target.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(target), progress=False)
    return target
