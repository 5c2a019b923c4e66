"""Lesson 6, the text: what it must become before a network can read it."""

from __future__ import annotations

from collections import Counter

from hypothesis import strategies as st

from .contract import Raises, exercise
from .strategies import sizes

LESSON = "06_language"
SPECIALS = ["xxunk", "xxpad", "xxbos", "xxfld", "xxmaj", "xxup", "xxrep", "xxwrep"]

# ---------------------------------------------------------------- spell

spell = exercise(
    LESSON, "spell", "A number in words", minutes=12, difficulty=1, given="ONES and TENS.",
    hints=("Take the number apart from the left: thousands, hundreds, then the rest below 100.",
           "n // 1000 thousands are a number themselves, which spell can spell; n % 1000 is what "
           "is left. Below 20 there is one word; from 20 on, one for the tens and maybe one more.",
           "Collect the words in a list, and only those that are there: if n >= 20: "
           "words.append(TENS[n // 10 - 2]); n %= 10. At the end ' '.join(words)."))
UNITS = "one two three four five six seven eight nine".split()
TEENS = ("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
         "nineteen").split()
BELOW_100 = ["", *UNITS, *TEENS, *(f"{ten} {one}".strip() for ten in (
    "twenty thirty forty fifty sixty seventy eighty ninety").split() for one in ("", *UNITS))]


def by_digits(n):
    """Read the digits in two groups of three, each the hundreds and what is below 100."""
    words = []
    for group, name in zip((f"{n:06}"[:3], f"{n:06}"[3:]), ("thousand", ""), strict=True):
        hundreds, rest = int(group[0]), BELOW_100[int(group[1:])]
        words += [f"{BELOW_100[hundreds]} hundred"] * (hundreds > 0)
        words += [rest] * bool(rest) + [name] * (group != "000" and bool(name))
    return " ".join(words)


def counting(*numbers):
    return tuple(dict(n=n) for n in numbers)


def rounds(most):
    """Numbers with many zeros and teens among them, small ones first."""
    tens = st.sampled_from([1, 10, 100, 1000])
    return st.one_of(st.integers(1, most), st.builds(
        lambda a, b: max(1, min(a * b, most)), st.integers(1, 99), tens)).map(lambda n: dict(n=n))


spell.property("spells 1 to 9999, the numbers of the lesson", 3, rounds(9999),
               examples=counting(1, 10, 12, 20, 21, 100, 110, 999, 1000, 1001, 7999))(by_digits)
spell.property("spells up to 999,999", 1, rounds(999_999),
               examples=counting(10_000, 312_000, 999_999))(by_digits)


@spell.property("refuses 0, negative numbers and more than 999,999", 1,
                st.sampled_from([0, -1, -20, 1_000_000, 2_000_000]).map(lambda n: dict(n=n)))
def _(n):
    return Raises("ValueError")


spell.mistake("an **\"and\"** stands behind the hundreds, as in British English; here is none",
              ("            n %= size\n",
               "            n %= size\n            if size == 100 and n:\n"
               "                words.append('and')\n"))
spell.mistake("a **hyphen** joins tens and ones; here each word stands by itself",
              ("        words.append(TENS[n // 10 - 2])\n        n %= 10\n",
               "        words.append(TENS[n // 10 - 2] + ('-' + ONES[n % 10 - 1]) * (n % 10 > 0))\n"
               "        n = 0\n"))
spell.mistake("**10 to 19** are taken apart like other tens; each of them has a word of its own",
              ("    if n >= 20:\n        words.append(TENS[n // 10 - 2])\n",
               "    if n >= 10:\n        words.append((['ten'] + TENS)[n // 10 - 1])\n"))
spell.mistake("the word is **one too far** in ONES: lists count from 0, so \"one\" is ONES[0]",
              ("ONES[n - 1]", "ONES[n]"))
spell.mistake("a **0 is spelled** as an empty word, which leaves two spaces, or one at the end; "
              "join only words that are there",
              ("    if n:\n        words.append(ONES[n - 1])", "    words.append(['', *ONES][n])"))
spell.mistake("the **\"one\" is missing** before hundred and thousand: 100 is \"one hundred\"",
              ("words += [spell(n // size), name]",
               "words += [spell(n // size), name] if n // size > 1 else [name]"))
spell.mistake("the thousands are taken for **one digit**; there may be up to 999 of them",
              ("spell(n // size)", "ONES[n // size % 10 - 1]"))
spell.mistake("the **rest is forgotten** behind a round part: after the thousands come hundreds, "
              "tens and ones",
              ("            n %= size\n", "            n = 0 if size == 1000 else n % size\n"))
spell.mistake("**many hundreds** get an s; the word stays \"hundred\"",
              ("words += [spell(n // size), name]",
               "words += [spell(n // size), name + 's' * (n // size > 1)]"))
spell.mistake("**nothing is refused**: 0 and numbers out of range must raise ValueError",
              ("if not 1 <= n <= 999_999:", "if False:"))

# ---------------------------------------------------------------- tokenize

tokenize = exercise(
    LESSON, "tokenize", "A text in tokens", minutes=15, difficulty=2,
    hints=("First put the text into pieces, then look at the capitals of each piece.",
           "If every character that is neither letter nor digit stood between two spaces, "
           "text.split() would do all the cutting.",
           "spaced = ''.join(c if c.isalnum() else f' {c} ' for c in text). For each word: "
           "'xxup' if word.isupper() and len(word) > 1, else 'xxmaj' if word[0].isupper() and "
           "word[1:].islower(); then word.lower()."))
WORDS = ["one", "two", "Paris", "NASA", "I", "McCoy", "iPod", "x", "7", "B2", "4th", "A", "Éva"]
GAPS = [" ", ", ", "", "\n", "  ", ".", "'", " - ", "! ", "\t", "(", "_"]


@st.composite
def texts(draw, words, gaps, least=0, most=4):
    pieces = draw(st.lists(st.tuples(st.sampled_from(words), st.sampled_from(gaps)),
                           min_size=least, max_size=most))
    return dict(text="".join(word + gap for word, gap in pieces))


def by_machine(text):
    """Read character by character, and end a word where its run of letters and digits ends."""
    found, word = ["xxbos"], ""
    for c in text + " ":
        if c.isalnum():
            word += c
            continue
        found += marked(word) + [c] * (not c.isspace())
        word = ""
    return found


def marked(word):
    capitals = [c.isupper() for c in word if c.isupper() or c.islower()]
    if len(word) > 1 and capitals and all(capitals):
        return ["xxup", word.lower()]
    if word and word[0].isupper() and not any(capitals[1:]) and len(capitals) > 1:
        return ["xxmaj", word.lower()]
    return [word.lower()] * bool(word)


def written(*some):
    return tuple(dict(text=text) for text in some)


tokenize.property("cuts small words apart, after xxbos", 2, texts(["one", "two", "3", "x"], GAPS),
                  examples=written("one, two", "one.two", ""))(by_machine)
tokenize.property("says what capitals there were", 2, texts(WORDS, [" ", ", "], 1),
                  examples=written("Paris", "NASA", "I", "McCoy", "A4"))(by_machine)
tokenize.property("does both in any text", 1, texts(WORDS, GAPS, most=6))(by_machine)

SPACED = 'spaced = "".join(c if c.isalnum() else f" {c} " for c in text)'
tokenize.mistake("the text is cut **at white space only**: in \"one, two\" the comma sticks to the "
                 "word before it", (SPACED, "spaced = text"))
tokenize.mistake("**punctuation is lost**: a comma is a token too; only white space is none",
                 ('f" {c} "', '" "'))
tokenize.mistake("**\"xxbos\" is missing** at the beginning", ('["xxbos"]', "[]"))
tokenize.mistake("white space gives **empty tokens** where two separators meet: split() without an "
                 "argument takes them together",
                 (SPACED, 'spaced = " ".join("".join(c if c.isalnum() else f" {c} " '
                          'for c in text).splitlines())'), ("spaced.split()", 'spaced.split(" ")'),
                 ("word[0].isupper()", "word[:1].isupper()"))
tokenize.mistake("words **keep their capitals**; after the special token they are in lower case",
                 ("word.lower()", "word"))
tokenize.mistake("the **capitals are lost**: \"xxup\" and \"xxmaj\" must say that they were there",
                 ("if word.isupper() and len(word) > 1:", "if False:"),
                 ("elif word[0].isupper() and word[1:].islower():", "elif False:"))
tokenize.mistake("a single capital, as in \"I\", is taken for **\"xxup\"**; that needs two "
                 "characters", ("word.isupper() and len(word) > 1", "word.isupper()"))
tokenize.mistake("**every word with a capital first** gets \"xxmaj\"; the rest must be small, and "
                 "there must be a rest", (" and word[1:].islower()", ""))
tokenize.mistake("the special token stands **behind its word**; it comes right before",
                 ('            tokens.append("xxup")\n',
                  '            tokens += [word.lower(), "xxup"]\n            continue\n'),
                 ('            tokens.append("xxmaj")\n',
                  '            tokens += [word.lower(), "xxmaj"]\n            continue\n'))
tokenize.mistake("words all in capitals get **\"xxmaj\"** too; they get \"xxup\" alone",
                 ("elif word[0].isupper() and word[1:].islower():",
                  "if word[0].isupper() and (word[1:].islower() or tokens[-1] == \"xxup\"):"))
tokenize.mistake("**digits are cut off**: they belong to words, as `isalnum` says",
                 ("c.isalnum()", "c.isalpha()"))

# ---------------------------------------------------------------- mark_repeats

mark_repeats = exercise(
    LESSON, "mark_repeats", "Again and again", minutes=8, difficulty=1,
    hints=("Go through the runs: stretches in which the same token stands again and again.",
           "itertools.groupby(tokens) gives each run: the token, and an iterator over its places.",
           "n = len(list(run)); then ['xxwrep', str(n), token] if n >= 4 else [token] * n."))


@st.composite
def stutters(draw, most=6):
    runs = draw(st.lists(st.tuples(st.sampled_from(["one", ",", "two"]), sizes(1, most)),
                         max_size=4))
    return dict(tokens=[token for token, n in runs for _ in range(n)])


def by_counting(tokens):
    """Count for each place how long the run is that ends there, and write it where it ends."""
    found, n = [], 0
    for now, then in zip(tokens, [*tokens, None][1:], strict=True):
        n += 1
        if now != then:
            found += ["xxwrep", str(n), now] if n > 3 else n * [now]
            n = 0
    return found


mark_repeats.property("shortens what stands four times or more in a row", 2, stutters(),
                      examples=(dict(tokens=["no"] * 4 + ["!"]), dict(tokens=[])))(by_counting)
mark_repeats.property("leaves other texts as they are", 1, stutters(2).filter(
    lambda case: by_counting(**case) == case["tokens"]))(by_counting)
mark_repeats.property("leaves the list it was given alone", 1, stutters(),
                      unchanged=True)(by_counting)

MARKED = '["xxwrep", str(n), token] if n >= 4 else [token] * n'
mark_repeats.mistake("**three in a row** are shortened already; it takes four", ("n >= 4", "n > 2"))
mark_repeats.mistake("it takes **five in a row**; four are enough", ("n >= 4", "n > 4"))
mark_repeats.mistake("the number is **how often it is repeated**, one less than how often it "
                     "stands there", ("str(n)", "str(n - 1)"))
mark_repeats.mistake("the number is **not a string**; a token is one", ("str(n)", "n"))
mark_repeats.mistake("the **token comes before the number**; it comes last",
                     ("str(n), token]", "token, str(n)]"))
mark_repeats.mistake("tokens are counted **in the whole text**; only what stands in a row counts",
                     ("        n = len(list(run))\n", "        n = len(list(run))\n"
                      "        total = tokens.count(token)\n"),
                     (MARKED, '["xxwrep", str(total), token] if total >= 4 else [token] * n'))
mark_repeats.mistake("**short runs lose words**: what stands two or three times stays as it is",
                     ("[token] * n", "[token]"))
mark_repeats.mistake("**nothing is shortened** to \"xxwrep\"", (MARKED, "[token] * n"))
mark_repeats.mistake("one of the **repeated tokens is missing**: \"xxwrep\" and the number stand "
                     "there, and then the token, once", ('str(n), token]', 'str(n)]'))
mark_repeats.mistake("**every run** is shortened, also that of one or two tokens",
                     ("n >= 4", "n >= 1"))

# ---------------------------------------------------------------- vocabulary

vocabulary = exercise(
    LESSON, "vocabulary", "The words a model knows", minutes=10, difficulty=2, given="SPECIALS.",
    keywords=("max_vocab", "min_freq"),
    hints=("Count how often each token occurs; collections.Counter does that.",
           "Counter.most_common(k) sorts by frequency, and keeps the order of first meeting where "
           "frequencies are equal. The special tokens must not be among those counted.",
           "counts = Counter(t for t in tokens if t not in SPECIALS); then [*SPECIALS, *(t for t, "
           "n in counts.most_common(max_vocab) if n >= min_freq)]."))


@st.composite
def corpora(draw, **options):
    words = st.sampled_from(["seven", ",", "two", "xxbos", "five", "xxmaj", "ten"])
    tokens = draw(st.lists(words, min_size=1, max_size=12))
    return dict(tokens=tokens) | {name: draw(strategy) for name, strategy in options.items()}


def by_sorting(tokens, max_vocab=60_000, min_freq=2):
    often = Counter(tokens)
    own = sorted(often.keys() - SPECIALS, key=lambda t: (-often[t], tokens.index(t)))[:max_vocab]
    return SPECIALS + [t for t in own if often[t] >= min_freq]


vocabulary.property(
    "begins with the special tokens, then the most frequent first", 3,
    corpora(min_freq=st.just(1)),
    examples=(dict(tokens=["two", "one", "one"], min_freq=1),
              dict(tokens="xxbos b , c , a".split(), min_freq=1)))(by_sorting)
vocabulary.property("leaves rare tokens out", 1, corpora(min_freq=sizes(1, 3)))(by_sorting)
vocabulary.property("takes min_freq 2 where none is given", 1, corpora())(by_sorting)
vocabulary.property("stops at max_vocab tokens beside the special ones", 1,
                    corpora(max_vocab=sizes(1, 4), min_freq=st.just(1)))(by_sorting)

MOST, COUNTED = "counts.most_common(max_vocab)", "for t in tokens if t not in SPECIALS)"
vocabulary.mistake("the **special tokens are missing** where the text does not hold them; all "
                   "eight are always there",
                   ("[*SPECIALS, ", "[*(t for t in SPECIALS if t in tokens), "))
vocabulary.mistake("special tokens are **listed twice**: those in the text count as words too",
                   (COUNTED, "for t in tokens)"))
vocabulary.mistake("the special tokens come **last**; they come first, so that their ids never "
                   "change", ("return [*SPECIALS, *(t for t, n in counts.most_common(max_vocab) if "
                              "n >= min_freq)]",
                              "return [*(t for t, n in counts.most_common(max_vocab) if n >= "
                              "min_freq), *SPECIALS]"))
vocabulary.mistake("the words are in **alphabetical order**; the most frequent comes first",
                   (MOST, "sorted(counts.most_common(max_vocab))"))
vocabulary.mistake("equally frequent words are in **alphabetical order**; the one first met comes "
                   "first", (MOST, "sorted(counts.items(), key=lambda c: (-c[1], c[0]))"
                                   "[:max_vocab]"))
vocabulary.mistake("the words stand **in the order of the text**; the most frequent comes first",
                   (MOST, "[c for c in counts.items() if c in counts.most_common(max_vocab)]"))
vocabulary.mistake("the **rarest come first**", (MOST, f"{MOST}[::-1]"))
vocabulary.mistake("min_freq must be **reached**, not exceeded", ("n >= min_freq", "n > min_freq"))
vocabulary.mistake("**min_freq is ignored**: every word is taken", ("n >= min_freq", "n >= 1"))
vocabulary.mistake("**max_vocab is ignored**", (MOST, "counts.most_common()"))
vocabulary.mistake("max_vocab **counts the special tokens** as well; it is for the others alone",
                   (MOST, "counts.most_common(max(0, max_vocab - len(SPECIALS)))"))
vocabulary.mistake("max_vocab keeps the words that were **first met**, instead of the most "
                   "frequent",
                   (MOST, "sorted(list(counts.items())[:max_vocab], key=lambda c: -c[1])"))
