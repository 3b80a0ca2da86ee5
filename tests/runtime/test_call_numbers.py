"""The numbers of equal calls: the lowest that nobody holds and that brought nothing yet."""

from agentorch.runtime.call_numbers import CallNumbers


def test_a_number_that_was_given_back_is_the_next_one() -> None:
    """Of three side by side the second and then the first bring nothing: two more calls are those two."""
    numbers = CallNumbers()
    first, second, third = numbers.take(), numbers.take(), numbers.take()
    numbers.give_back(second)
    numbers.give_back(first)

    assert (first, second, third) == (1, 2, 3)
    assert [numbers.take() for _ in range(3)] == [1, 2, 4]


def test_those_with_a_result_go_first() -> None:
    """2 and 4 are finished: they are had once each, again when that failed; the others are counted around them."""
    numbers = CallNumbers([4, 2])
    taken = [numbers.take() for _ in range(3)]
    numbers.give_back(4)
    numbers.give_back(1)

    assert taken == [2, 4, 1]
    assert [numbers.take() for _ in range(5)] == [4, 1, 3, 5, 6]
