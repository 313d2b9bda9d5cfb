"""Class folders, as `init` takes them."""

from trainwright.data.sniffing import sniff


def test_cifar_and_photos(shared_data):
    cifar = sniff(shared_data / "cifar10" / "cifar10_images.zip")
    assert cifar.source["name"] == "folder"
    assert cifar.inputs == {"image": {"type": "image", "size": [32, 32]}}
    assert cifar.split == {"val": 0.1}
    photos = sniff(shared_data / "clothing10")
    assert photos.inputs["image"] == {"type": "image", "size": 224, "resize": "crop"}
    assert any("LICENSE" in note for note in photos.notes)
