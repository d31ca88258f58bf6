# SPDX-License-Identifier: BSD-3-Clause
"""The model of the suite: what it accepts, and what it finds."""

from __future__ import annotations

import random

import pytest

from pynvme.suite.content import Content, Pattern
from pynvme.suite.model import FF, ZEROS, Change, Kind, Model

SIZE = 512


@pytest.fixture
def model() -> Model:
    return Model(Content(random.Random(1), SIZE), ZEROS)


def write(model: Model, slba: int, nlb: int = 1, ok: bool = True, fua: bool = False) -> Change:
    change = model.begin(Kind.DATA, (slba, nlb))
    model.end(change, ok, fua)
    return change


def data(model: Model, change: Change, lba: int) -> bytes:
    return model.content.of(lba, change.generation)


def flush(model: Model) -> None:
    model.flush_end(model.flush_begin())


def seen(model: Model, lba: int, found: bytes) -> str:
    """What the model says of data, or nothing if they are legal."""
    return " ".join(one.seen for one in model.judge(lba, found))


def test_contents_differ_everywhere_and_name_their_write() -> None:
    content = Content(random.Random(1), SIZE)
    first, second = content.of(5, 1), content.of(5, 2)
    assert sum(a == b for a, b in zip(first, second)) < 40
    assert content.stamp(first) == (5, 1) and content.stamp(content.of(6, 2)) == (6, 2)
    assert content.stamp(bytes(SIZE)) is None
    assert content.stamp(first[:-1] + b"\0") is None
    assert Content(random.Random(2), SIZE).stamp(first) is None


def test_data_that_were_found_stay(model: Model) -> None:
    assert not model.judge(7, b"\1" * SIZE)
    assert not model.judge(7, b"\1" * SIZE)
    assert "nobody wrote" not in seen(model, 7, b"\1" * SIZE)
    assert seen(model, 7, b"\2" * SIZE)


def test_the_classes_of_wrong_data(model: Model) -> None:
    old, new, other = write(model, 5), write(model, 5), write(model, 9)
    right = data(model, new, 5)
    assert not model.judge(5, right)
    assert "older write" in seen(model, 5, data(model, old, 5))
    assert "data of LBA 0x9" in seen(model, 5, data(model, other, 9))
    assert seen(model, 5, bytes(SIZE)) == "zeros"
    assert "1 bytes are wrong, the first is byte 77" in seen(
        model, 5, right[:77] + bytes([right[77] ^ 1]) + right[78:]
    )


def test_a_torn_lba_is_described(model: Model) -> None:
    old = write(model, 5)
    flush(model)
    new = model.begin(Kind.DATA, (5, 1))
    model.power_lost()
    torn = data(model, new, 5)[:100] + data(model, old, 5)[100:]
    text = seen(model, 5, torn)
    assert "bytes 0 to 99" in text and f"write {new.generation}" in text and f"write {old.generation}" in text


def test_a_write_in_flight_is_there_or_not_and_a_failed_one_too(model: Model) -> None:
    old = write(model, 5)
    new = model.begin(Kind.DATA, (5, 1))
    assert not model.judge(5, data(model, old, 5))
    assert not model.judge(5, data(model, new, 5))
    failed = model.begin(Kind.DATA, (5, 1))
    model.end(failed, False)
    assert not model.judge(5, data(model, failed, 5))
    assert seen(model, 5, data(model, old, 5)), "a read decides"


def test_a_flush_covers_what_had_completed_before_it(model: Model) -> None:
    covered = write(model, 5)
    begun = model.flush_begin()
    late = write(model, 5)
    model.flush_end(begun)
    model.power_lost()
    assert seen(model, 5, bytes(SIZE)), "what was there before the flush is gone"
    assert not model.judge(5, data(model, covered, 5))
    assert seen(model, 5, data(model, late, 5)), "a read decides"


def test_every_version_since_the_flush_is_legal(model: Model) -> None:
    versions = [write(model, 5) for _ in range(4)]
    for kept in versions:
        fresh = Model(model.content, ZEROS)
        for change in versions:
            fresh._changes[change.generation] = change
        again = [write(fresh, 5) for _ in versions]
        fresh.power_lost()
        assert not fresh.judge(5, data(fresh, again[versions.index(kept)], 5))


def test_fua_needs_no_flush(model: Model) -> None:
    write(model, 5)
    last = write(model, 5, fua=True)
    model.power_lost()
    assert seen(model, 5, bytes(SIZE))
    assert not model.judge(5, data(model, last, 5))


def test_without_a_cache_each_write_is_durable(model: Model) -> None:
    model.volatile = False
    old, new = write(model, 5), write(model, 5)
    model.power_lost()
    assert seen(model, 5, data(model, old, 5))
    assert not model.judge(5, data(model, new, 5))


def test_what_survived_a_loss_of_power_survives_the_next(model: Model) -> None:
    first, second = write(model, 5), write(model, 5)
    model.power_lost()
    assert not model.judge(5, data(model, first, 5))
    model.power_lost()
    assert seen(model, 5, data(model, second, 5))


def test_a_deallocation_may_come_late_but_only_once(model: Model) -> None:
    change = write(model, 5)
    model.end(model.begin(Kind.DEALLOCATED, (5, 1)), True)
    assert not model.judge(5, data(model, change, 5))
    assert not model.judge(5, bytes(SIZE))
    assert seen(model, 5, data(model, change, 5))
    newer = write(model, 5)
    assert seen(model, 5, bytes(SIZE))
    assert not model.judge(5, data(model, newer, 5))


def test_what_deallocated_lbas_read_as() -> None:
    ones = Model(Content(random.Random(1), SIZE), FF)
    anything = Model(Content(random.Random(1), SIZE))
    for model in (ones, anything):
        write(model, 5)
        model.end(model.begin(Kind.DEALLOCATED, (5, 1)), True)
    assert seen(ones, 5, bytes(SIZE)) and not ones.judge(5, b"\xff" * SIZE)
    assert not anything.judge(5, b"\7" * SIZE)


def test_uncorrectable_lbas(model: Model) -> None:
    write(model, 4, 10)
    old = write(model, 5)
    assert not model.may_fail(4, 8)
    mark = model.begin(Kind.UNCORRECTABLE, (5, 1))
    assert model.may_fail(4, 8) and not model.must_fail(4, 8)
    model.end(mark, True)
    assert model.must_fail(4, 8) and not model.may_fail(6, 8)
    assert seen(model, 5, data(model, old, 5))
    write(model, 5)
    assert not model.may_fail(5, 1)


def test_an_unknown_lba_may_have_an_earlier_mark_that_a_lost_change_uncovers(model: Model) -> None:
    assert model.may_fail(5, 1) and not model.must_fail(5, 1)
    model.end(model.begin(Kind.DEALLOCATED, (5, 1)), True)
    flush(model)
    model.power_lost()
    assert model.may_fail(5, 1)
    model.unreadable(5)
    assert model.may_fail(5, 1)
    write(model, 5)
    assert not model.may_fail(5, 1), "the mark is gone"
    model.power_lost()
    assert model.may_fail(5, 1), "the write was not flushed"
    write(model, 5)
    flush(model)
    model.power_lost()
    assert not model.may_fail(5, 1)


def test_the_last_writer_is_named(model: Model) -> None:
    change = write(model, 5)
    assert str(change.generation) in model.writers([5])[0]
    assert model.writers([6]) == ["LBA 0x6: nobody"]


@pytest.mark.parametrize("pattern", Pattern)
def test_data_of_each_pattern_are_judged(model: Model, pattern: Pattern) -> None:
    old = write(model, 5, 2)
    new = model.begin(Kind.DATA, (5, 2), pattern=pattern)
    model.end(new, True)
    wanted = model.data(new)
    assert len(wanted) == 2 * SIZE and not model.judge(5, wanted)
    assert seen(model, 5, data(model, old, 5))
    assert seen(model, 6, wanted[SIZE:-1] + bytes([wanted[-1] ^ 1]))


def test_some_patterns_are_equal_for_all_lbas_and_all_can_be_told_from_each_other() -> None:
    content = Content(random.Random(1), SIZE)
    alike = {pattern for pattern in Pattern if content.of(5, 1, pattern) == content.of(6, 1, pattern)}
    assert alike == {Pattern.ZEROS, Pattern.ONES, Pattern.REPEATED, Pattern.EQUAL}
    assert len({content.of(5, 1, pattern) for pattern in Pattern}) == len(Pattern)


def test_what_a_test_leaves_behind_is_known(model: Model) -> None:
    write(model, 4, 8)
    model.end(model.begin(Kind.UNCORRECTABLE, (5, 1)), True)
    model.end(model.begin(Kind.DEALLOCATED, (7, 2)), True)
    assert model.unsettled() == [5, 7, 8]
    write(model, 5)
    write(model, 7, 2)
    assert model.unsettled() == [5, 7, 8], "a loss of power brings them back"
    flush(model)
    assert model.unsettled() == []


def test_a_deallocation_after_a_read_with_fua_may_be_lost(model: Model) -> None:
    """It was pending when the read made the data durable, and was seen before the loss of power."""
    change = write(model, 5)
    model.end(model.begin(Kind.DEALLOCATED, (5, 1)), True)
    assert not seen(model, 5, data(model, change, 5))
    model.settle(5, 1)
    assert not seen(model, 5, bytes(SIZE))
    model.power_lost()
    assert not seen(model, 5, data(model, change, 5))


def test_data_that_a_compare_must_refuse_differ_outside_of_protection_information():
    """NVM 1.0, 5.2.2: a Compare checks protection information, and does not compare it."""
    content = Content(random.Random(1), 32, slice(16, 24))
    data = content.range(7, 3, 1)
    changed = set()
    for seed in range(500):
        found = content.spoil(random.Random(seed), data)
        ((at, bits),) = [(at, a ^ b) for at, (a, b) in enumerate(zip(data, found)) if a != b]
        assert bits & (bits - 1) == 0 and content.is_compared(at)
        changed.add(at)
    assert changed == {at for at in range(96) if not 16 <= at % 32 < 24}
