from trainwright.wording import counted


def test_one_is_singular_and_every_other_count_is_not():
    assert counted(1, "picture") == "1 picture"
    assert [counted(count, "class", "classes") for count in (0, 2)] == ["0 classes", "2 classes"]
    assert counted(1200, "record is", "records are") == "1,200 records are"
