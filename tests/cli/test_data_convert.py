"""`data convert` says what it wrote, what was lost, and what was faulty."""

import json

from trainwright.cli.entry import run_command


def test_a_conversion_is_summed_up(shared_data, tmp_path, capsys):
    source, new = str(shared_data / "bad" / "yolo_bad"), tmp_path / "new"
    assert run_command(["data", "convert", source, str(new), "--to", "coco"]) == 0
    said = capsys.readouterr().out
    assert f"written    {new}: 3 pictures, 2 objects" in said
    assert "faulty     labels/a.txt:2: class 7 is not among the 2 classes" in said
    assert "and 2 more faulty records" in said
    assert len(json.loads((new / "annotations" / "instances_all.json").read_text())["annotations"]) == 2
    assert run_command(["data", "convert", source, str(new), "--to", "voc"]) == 2
    assert "exists and is not overwritten" in capsys.readouterr().err


def test_machine_output_has_the_losses(shared_data, tmp_path, capsys):
    arguments = [
        "data",
        "convert",
        str(shared_data / "kitti_mini"),
        str(tmp_path / "new"),
        "--to",
        "voc",
        "--json",
    ]
    assert run_command(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["pictures"], found["objects"], found["splits"]) == (2, 8, {"train": 2})
    assert found["lost"]["values of 'box3d'"] == 4
    assert found["lost"]["marks of crowds (the objects are written)"] == 4
