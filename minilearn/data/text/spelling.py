"""Human numbers: the corpus of the lesson, which needs no download because it can be counted."""

from __future__ import annotations

from ...slots import Slot

UNITS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
         "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
         "eighteen", "nineteen")
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SCALES = ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred"))
LARGEST = 999_999_999

TRAIN, VALID = range(1, 8000), range(8001, 10_000)  # the lesson's files leave 8000 out


@Slot
def spell(number: int) -> str:
    """Spell a number from 1 to 999,999,999 as Americans say it: lower case, no "and", no hyphen.

    Raises ValueError for another number, TypeError for what is no whole number.

    >>> spell(7999), spell(21)
    ('seven thousand nine hundred ninety nine', 'twenty one')
    """
    if isinstance(number, bool) or not hasattr(number, "__index__"):
        raise TypeError(f"spell: expected a whole number, got {number!r}")
    if not 1 <= number <= LARGEST:
        raise ValueError(f"spell: numbers from 1 to {LARGEST:,} can be spelt, got {number}")
    return " ".join(_words(int(number)))


def _words(number: int) -> list[str]:
    """Take the largest part off and spell it; then the rest in the same way."""
    for size, name in SCALES:
        if number >= size:
            return [*_words(number // size), name, *_words(number % size)]
    if number < len(UNITS):
        return [UNITS[number]] if number else []
    return [TENS[number // 10], *_words(number % 10)]


def human_numbers() -> tuple[str, str]:
    """Return the lesson's two texts, (train, valid): 1 to 7999 and 8001 to 9999, comma between.

    The second counts on where the first ends: what is measured is extrapolation.
    Source: fast.ai's HUMAN_NUMBERS, lesson 7.

    >>> train, valid = human_numbers()
    >>> train[:15], valid[:35]
    ('one, two, three', 'eight thousand one, eight thousand ')
    """
    train, valid = (", ".join(spell(n) for n in numbers) for numbers in (TRAIN, VALID))
    return train, valid
