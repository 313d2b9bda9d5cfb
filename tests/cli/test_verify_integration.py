"""verify resume on the shipped digits, with real kills."""

from __future__ import annotations


def test_digits_resume_bit_identically(command):
    answer = command("verify", "resume", "digits", "train.epochs=3", "--kills", "1")
    assert answer.code == 0, answer.err
    assert "bit-identical after 1 kills" in answer.out and "leaves of state" in answer.out
