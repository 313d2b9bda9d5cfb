"""Loads pictures without a model, beside torchvision, webdataset and litdata.

    python -m benchmarks.loading --rounds 3 --work cached,first,stream

- `cached`: epochs over 10,000 CIFAR JPEGs of 32 pixels, our decoded cache warm.
- `first`: photos of clothing10 and coco128 at 224 pixels, from nothing to the end of the first epoch, our
  cache empty: what we spend on the fingerprint, on checking every file and on the cache is part of it.
- `stream`: the second epoch over the same photos, decoded on the fly without a cache.

Each with simplejpeg and with Pillow as decoder on all sides. The contestants are processes of their own, the
rounds interleaved in an order that a fixed seed shuffles. The last lines compare with the best peer.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine, processes
from benchmarks.datasets import cache_folder, prepare, shared_data
from benchmarks.results import Measurement, Results, now, store, summarise, table

SHOWN = ("images_per_s", "cpu_us_per_image", "seconds", "peak_pss_mib")
SHARDS = 8


@dataclass(frozen=True)
class Contestant:
    """A module of `benchmarks.workloads.loading`, the form of the data that it reads, and its workers."""

    module: str
    form: str
    workers: int


PEERS = {
    "torchvision_0": Contestant("with_torchvision", "folder", 0),
    "torchvision_1": Contestant("with_torchvision", "folder", 1),
    "torchvision_2": Contestant("with_torchvision", "folder", 2),
    "webdataset_2": Contestant("with_webdataset", "tar", 2),
    "litdata_2": Contestant("with_litdata", "chunks", 2),
}


@dataclass(frozen=True)
class Work:
    """A way of loading.

    Attributes:
        pictures: `cifar` or `photos`.
        size: Of the pictures that the model would read.
        ours: Our module.
        skip: Epochs before the clock starts.
        epochs: Epochs that are measured of ours.
        keeps_cache: Whether our cache is kept from run to run.
    """

    pictures: str
    size: int
    ours: str
    skip: int
    epochs: int
    keeps_cache: bool


WORKS = {
    "cached": Work("cifar", 32, "ours", 1, 5, True),
    "first": Work("photos", 224, "ours", 0, 1, False),
    "stream": Work("photos", 224, "ours_on_the_fly", 1, 2, True),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    options = _parse(arguments)
    works, names = options.work.split(","), ["ours", *options.peers.split(",")]
    folders = {WORKS[work].pictures: lay_out(WORKS[work].pictures) for work in works}
    results = Results(
        benchmark="loading",
        options={key: str(value) for key, value in vars(options).items()},
        taken_at=now(),
        machine=machine.describe(),
        baseline="ours",
    )
    try:
        for work, decoder, name, number in schedule(works, options.decoders.split(","), names, options):
            folder = folders[WORKS[work].pictures]
            measured = measure(work, decoder, name, number, folder)
            results.measurements.append(measured)
            print(f"{measured.work} {number} {name}: {measured.error or measured.values}", flush=True)
    finally:  # what was measured before an interruption is kept
        print("\n" + table(results, SHOWN))
        print("\n" + "\n".join(ratios(results)))
        if not options.dry:
            print(f"\nstored in {store(results)}")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loading", description=__doc__)
    parser.add_argument("--work", default=",".join(WORKS), help="ways of loading, by comma")
    parser.add_argument("--peers", default=",".join(PEERS), help="by comma")
    parser.add_argument("--decoders", default="simplejpeg,pillow")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of the order within the rounds")
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    return parser.parse_args(arguments)


def schedule(
    works: Sequence[str], decoders: Sequence[str], names: Sequence[str], options: argparse.Namespace
) -> Iterator[tuple[str, str, str, int]]:
    """Work, decoder, contestant and round of every measurement."""
    shuffled = random.Random(options.seed)
    for work in works:
        for number in range(1, options.rounds + 1):
            present = [(decoder, name) for decoder in decoders for name in names]
            shuffled.shuffle(present)
            yield from ((work, decoder, name, number) for decoder, name in present)


def measure(work: str, decoder: str, name: str, number: int, folders: dict[str, Path]) -> Measurement:
    """One run of one contestant."""
    what = WORKS[work]
    who = Contestant(what.ours, "folder", 2) if name == "ours" else PEERS[name]
    scratch = Path(tempfile.mkdtemp(prefix="benchmark-"))
    job = {
        "folder": str(folders[who.form]),
        "size": what.size,
        "workers": who.workers,
        "decoder": decoder,
        "skip": what.skip,
        "epochs": what.epochs if name == "ours" else 1,
    }
    command = [sys.executable, "-m", f"benchmarks.workloads.loading.{who.module}", json.dumps(job)]
    cache = cache_folder() / "loading" / "trainwright" if what.keeps_cache else scratch
    variables = {"TRAINWRIGHT_CACHE": str(cache), "PYTHONPATH": f"{processes.ROOT}:{processes.ROOT / 'src'}"}
    label = f"{work}, {decoder}"
    try:
        outcome = processes.run(command, variables)
        if outcome.returncode:
            raise ValueError(f"exit status {outcome.returncode}: {outcome.errors[-800:]}")
        values = {key: float(value) for key, value in outcome.last_line().items()}
        return Measurement(label, name, number, values | {"peak_pss_mib": outcome.peak_pss_mib})
    except (ValueError, KeyError, OSError) as error:
        return Measurement(label, name, number, {}, error=f"{type(error).__name__}: {error}"[-1000:])
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def ratios(results: Results) -> list[str]:
    """Our images per second over those of the best peer, round by round, per way of loading."""
    lines = []
    for work in dict.fromkeys(m.work for m in results.measurements):
        rates = {
            (m.contestant, m.round): m.values["images_per_s"]
            for m in results.measurements
            if m.work == work and m.values
        }
        medians = {
            name: found.median
            for name in PEERS
            if (found := summarise(results, work, name, "images_per_s")) is not None
        }
        if not medians:
            continue
        best = max(medians, key=lambda name: medians[name])
        each = [
            rates["ours", number] / rate
            for (name, number), rate in rates.items()
            if name == best and ("ours", number) in rates
        ]
        if each:
            lines.append(f"{work}: {statistics.median(each):.2f}x of {best}, the best peer")
    return lines


def lay_out(pictures: str) -> dict[str, Path]:
    """Class folders, tar shards and litdata's chunks of the same files."""
    root = cache_folder() / "loading" / pictures
    folder = cache_folder() / "cifar10" / "train" if pictures == "cifar" else root / "folder"
    if pictures == "cifar":
        prepare("W2")
    elif not folder.exists():
        _photos(folder)
    files = [
        (path, label)
        for label, name in enumerate(sorted(folder.iterdir()))
        for path in sorted(name.iterdir())
    ]
    random.Random(0).shuffle(files)  # as whoever makes shards has to do
    if not (root / "tar").exists():
        _shards(files, root / "tar")
    if not (root / "chunks").exists():
        _chunks(files, root / "chunks")
    return {"folder": folder, "tar": root / "tar", "chunks": root / "chunks"}


def _photos(folder: Path) -> None:
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for name in ("clothing10", "coco128"):
        (partial / name).mkdir(parents=True)
        for number, path in enumerate(sorted((shared_data() / name).rglob("*.jpg"))):
            shutil.copyfile(path, partial / name / f"{number:04d}.jpg")
    partial.rename(folder)


def _shards(files: Sequence[tuple[Path, int]], folder: Path) -> None:
    import webdataset

    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for shard in range(SHARDS):
        with webdataset.TarWriter(str(partial / f"{shard:03d}.tar")) as writer:
            for number, (path, label) in list(enumerate(files))[shard::SHARDS]:
                writer.write({"__key__": f"{number:06d}", "jpg": path.read_bytes(), "cls": label})
    partial.rename(folder)


def read_for_chunks(item: tuple[Path, int]) -> dict[str, object]:
    """One sample of litdata's chunks; the JPEG as it is."""
    path, label = item
    return {"image": path.read_bytes(), "label": label}


def _chunks(files: Sequence[tuple[Path, int]], folder: Path) -> None:
    import litdata

    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    litdata.optimize(read_for_chunks, list(files), str(partial), num_workers=1, chunk_bytes="16MB")
    partial.rename(folder)


if __name__ == "__main__":
    main()
