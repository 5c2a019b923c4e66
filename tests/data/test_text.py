"""The text pipeline: the spelt numbers, tokens, vocabularies, corpora and the loader."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilearn import data, xp
from minilearn.data.text import SPECIALS, language_batch
from minilearn.data.text.tokens import mark_case
from minilearn.slots import swapped

# ---------------------------------------------------------------- spelling

VALUES = {word: value for value, word in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen".split())}
VALUES |= {word: 10 * tens for tens, word in enumerate(
    "twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
SCALES = {"thousand": 1000, "million": 10**6}


def value(words):
    """Read a spelt number, the other way round than it is written."""
    total = part = 0
    for word in words.split(" "):
        if word == "hundred":
            part *= 100
        elif word in SCALES:
            total, part = total + part * SCALES[word], 0
        else:
            part += VALUES[word]
    return total + part


@given(st.integers(1, 999_999_999) | st.integers(1, 12_000))
def test_a_spelt_number_reads_as_itself(number):
    words = data.spell(number)
    assert value(words) == number
    assert not {"zero", "and", "", "-"} & set(words.split(" "))


@pytest.mark.parametrize("number, words", [
    (1, "one"), (21, "twenty one"), (100, "one hundred"), (110, "one hundred ten"),
    (1000, "one thousand"), (8001, "eight thousand one"),
    (7999, "seven thousand nine hundred ninety nine"), (21_013, "twenty one thousand thirteen"),
])
def test_spelling(number, words):
    assert data.spell(number) == words


def test_what_cannot_be_spelt():
    for number in (0, -1, 10**9):
        with pytest.raises(ValueError, match="from 1 to 999,999,999"):
            data.spell(number)
    for thing in (1.0, "7", True, None):
        with pytest.raises(TypeError, match="whole number"):
            data.spell(thing)
    assert data.spell(np.int64(12)) == "twelve"


def test_the_corpus_is_the_lessons():
    train, valid = data.human_numbers()
    lines = train.split(", "), valid.split(", ")
    assert [len(part) for part in lines] == [7999, 1999]
    assert (lines[0][-1], lines[1][0]) == (data.spell(7999), data.spell(8001))
    assert len(data.tokenize(train)) == 50_079 and len(data.tokenize(valid)) == 13_017


# ---------------------------------------------------------------- tokens


@pytest.mark.parametrize("text, tokens", [
    ("one, two", "one , two"), ("a  b\n\tc", "a b c"), ("a/b #c", "a / b # c"),
    ("I am NOT Ada", "i am xxup not xxmaj ada"), ("don't", "don't"), ("iPhone", "iphone"),
    ("x &amp; y &lt;3", "x & y < 3"), ("aaa", "aaa"), ("aaaa", "xxrep 4 a"),
    ("so!!!!!", "so xxrep 5 !"), ("no no no", "no no no"), ("no no no no", "xxwrep 4 no"),
    ("ha, ha, ha, ha, ha!", "xxwrep 5 ha !"), ("ninety nine, nine nine", "ninety nine , nine nine"),
    ("Été à Paris", "xxmaj été à xxmaj paris"), ("(2.5)", "( 2 . 5 )"), ("", ""),
])
def test_tokenize(text, tokens):
    assert data.tokenize(text) == ["xxbos", *tokens.split()]
    assert data.tokenize(text, begin=False) == tokens.split()


def test_case_marks():
    assert mark_case("I") == ["i"]
    assert [mark_case(word)[0] for word in ("Ada", "ADA", "ada")] == ["xxmaj", "xxup", "ada"]


WORDS = st.lists(st.sampled_from(
    "one two Three FOUR don't 42 x été (well) end. yes, no!!!! ha!".split()), min_size=1)


@given(WORDS)
def test_readable_undoes_tokenize(words):
    once = data.readable(data.tokenize(" ".join(words)))
    assert data.tokenize(once) == data.tokenize(" ".join(words))


def test_readable_takes_any_sequence_of_tokens():
    assert data.readable(["xxbos", "xxmaj"]) == ""
    assert data.readable(["xxrep", "many", "a", "b"]) == "many a b"
    assert data.readable(["xxwrep", "3", "ha", ",", "xxup", "so"]) == "ha ha ha, SO"
    assert data.readable("one , two".split()) == "one, two"


# ---------------------------------------------------------------- vocabulary


def test_the_38_ids_of_the_notebook():
    itos = data.numbers_corpus().vocabulary.itos
    assert itos[:8] == "xxunk xxpad xxbos xxfld xxmaj xxup xxrep xxwrep".split() == list(SPECIALS)
    assert itos[8:11] == [",", "hundred", "thousand"]
    assert itos[11:20] == [data.spell(n) for n in range(1, 10)]
    assert itos[20:28] == [data.spell(n) for n in range(20, 100, 10)]
    assert itos[28:] == [data.spell(n) for n in range(10, 20)]


@given(st.lists(st.sampled_from("abcdefg"), max_size=30), st.integers(1, 4), st.integers(1, 5))
def test_frequent_first_ties_in_order_of_appearance(tokens, min_freq, max_size):
    made = data.Vocabulary.of(tokens, max_size=max_size, min_freq=min_freq).itos[8:]
    ranked = sorted(set(tokens), key=lambda t: (-tokens.count(t), tokens.index(t)))
    assert made == [t for t in ranked[:max_size] if tokens.count(t) >= min_freq]


def test_numericalize_and_textify():
    vocabulary = data.Vocabulary.of("a b a b c".split())
    ids = vocabulary.numericalize("b c xxbos a".split())
    assert ids.dtype == np.int64 and ids.tolist() == [9, 0, 2, 8]
    assert vocabulary.textify(ids) == "b xxunk xxbos a"
    assert vocabulary.tokens([8]) == ["a"] and "a" in vocabulary and "c" not in vocabulary
    for wrong in (-1, len(vocabulary)):
        with pytest.raises(IndexError, match="not one of 0 to 9"):
            vocabulary.textify([wrong])


def test_a_special_token_of_the_text_has_one_place():
    vocabulary = data.Vocabulary.of(["xxbos"] * 5 + ["a"] * 3)
    assert vocabulary.itos == [*SPECIALS, "a"]


def test_a_vocabulary_is_saved_and_loaded(tmp_path):
    vocabulary = data.Vocabulary.of("é é , , 'tis 'tis".split())
    vocabulary.save(tmp_path / "deep" / "vocabulary.txt")
    assert (tmp_path / "deep" / "vocabulary.txt").read_text("utf-8").splitlines() == vocabulary.itos
    assert data.Vocabulary.load(tmp_path / "deep" / "vocabulary.txt") == vocabulary


def test_bad_vocabularies(tmp_path):
    with pytest.raises(ValueError, match="'a' is there twice"):
        data.Vocabulary([*SPECIALS, "a", "a"])
    with pytest.raises(ValueError, match="must be xxunk"):
        data.Vocabulary(["a"])
    with pytest.raises(data.MissingDataError, match="no vocabulary at"):
        data.Vocabulary.load(tmp_path / "absent.txt")
    for content in (b"a\nb\n", b"\xff\xfe", b""):
        (tmp_path / "bad.txt").write_bytes(content)
        with pytest.raises(data.DamagedDataError, match="is not a vocabulary"):
            data.Vocabulary.load(tmp_path / "bad.txt")


# ---------------------------------------------------------------- corpora


def test_a_text_file_is_a_corpus(tmp_path):
    path = tmp_path / "poem.txt"
    path.write_bytes("\ufeff".encode() + b"The sea, the sea!\r\n" * 25)
    corpus = data.text_corpus(path, valid=0.2)
    tokens = data.tokenize("The sea, the sea! " * 25)  # without the byte order mark
    assert (len(corpus.train), len(corpus.valid)) == (141, 35) and len(tokens) == 176
    ids = np.concatenate([corpus.train, corpus.valid])
    assert corpus.vocabulary.tokens(ids) == tokens and corpus.name == "poem"


def test_the_vocabulary_knows_only_what_is_trained_on(tmp_path):
    (tmp_path / "a.txt").write_text("one two " * 50 + "new old " * 5)
    corpus = data.text_corpus(tmp_path / "a.txt")
    assert "new" not in corpus.vocabulary
    assert corpus.valid.tolist() == [9] + [0] * 10


def test_bad_texts(tmp_path):
    with pytest.raises(data.MissingDataError, match="no text at"):
        data.text_corpus(tmp_path / "absent.txt")
    with pytest.raises(data.DataError, match="cannot be read"):
        data.read_text(tmp_path)
    (tmp_path / "latin.txt").write_bytes(b"one\ntwo\nth\xe9\n")
    with pytest.raises(data.DamagedDataError, match="not UTF-8 text: byte 0xe9 in line 3.*save it"):
        data.text_corpus(tmp_path / "latin.txt")
    (tmp_path / "empty.txt").write_text(" \n")
    with pytest.raises(data.TextError, match="has 0 words and signs"):
        data.text_corpus(tmp_path / "empty.txt")
    with pytest.raises(ValueError, match="between 0 and 1, got 1"):
        data.text_corpus(tmp_path / "empty.txt", valid=1)


# ---------------------------------------------------------------- the loader


def batches(loader):
    return [tuple(xp.to_numpy(part.data) for part in batch) for batch in loader]


@pytest.mark.parametrize("bptt, train, valid", [(70, 12, 3), (3, 261, 68), (20, 40, 11)])
def test_batch_counts(bptt, train, valid):
    corpus = data.numbers_corpus()
    loaders = [data.LanguageLoader(part, 64, bptt) for part in (corpus.train, corpus.valid)]
    assert [len(loader) for loader in loaders] == [train, valid]
    assert all(x.shape == y.shape == (64, bptt) for x, y in batches(loaders[1]))
    assert len(batches(loaders[1])) == valid


def test_the_first_batches_of_the_notebook():
    corpus = data.numbers_corpus()
    loader = data.LanguageLoader(corpus.valid)  # 64 rows of 70
    assert (loader.batch_size, loader.bptt) == (64, 70)
    (x, y), (again, _), (last, _) = batches(loader)
    text = corpus.vocabulary.textify
    assert text(x[0, :9]) == "xxbos eight thousand one , eight thousand two ,"
    assert text(y[0, :8]) == "eight thousand one , eight thousand two ,"
    assert x[:, 0].tolist() == [corpus.valid[j * 13_017 // 64] for j in range(64)]
    assert (y[:, :-1] == x[:, 1:]).all() and (y[:, -1] == again[:, 0]).all()
    assert text(last[-1, -6:]) != text(corpus.valid[-6:])  # row 63 has wrapped to the beginning
    assert 2 in last[-1] and text(last[0, :3]) == text(corpus.valid[140:143])


@given(st.integers(2, 60), st.integers(1, 7), st.integers(1, 9))
def test_rows_read_on_and_wrap(tokens, rows, bptt):
    if bptt >= tokens or rows > tokens:
        return
    loader = data.LanguageLoader(np.arange(tokens), rows, bptt)
    read = batches(loader)
    x, y = (np.concatenate(part, 1) for part in zip(*read, strict=True))
    assert x.shape == (rows, bptt * -(-tokens // (rows * bptt)))
    assert (x[:, 0] == [j * tokens // rows for j in range(rows)]).all()
    assert (x[:, 1:] == (x[:, :-1] + 1) % tokens).all() and (y == (x + 1) % tokens).all()
    assert set(x.ravel()) == set(range(tokens)) or tokens % (rows * bptt)  # all is read
    last = [part[1] for part in batches(data.LanguageLoader(np.arange(tokens), rows, bptt,
                                                            last=True))]
    assert all((a == b[:, -1]).all() for a, (_, b) in zip(last, read, strict=True))


def test_documents_are_joined_and_reordered():
    documents = [np.full(n, n) for n in range(1, 7)]
    plain = batches(data.LanguageLoader(documents, 1, 21 - 1))[0][0][0]
    assert plain.tolist() == np.concatenate(documents)[:-1].tolist()
    loader = data.LanguageLoader(documents, 1, 20, shuffle=True,
                                 generator=np.random.default_rng(3))
    orders = [tuple(dict.fromkeys(batches(loader)[0][0][0].tolist())) for _ in range(4)]
    assert len(set(orders)) > 1 and plain.tolist() != list(orders[0])
    again = data.LanguageLoader(documents, 1, 20, shuffle=True, generator=np.random.default_rng(3))
    assert tuple(dict.fromkeys(batches(again)[0][0][0].tolist())) == orders[0]


@pytest.mark.parametrize("tokens, rows, bptt, said", [
    (0, 1, 1, "has 0 tokens; it takes two"), (1, 1, 1, "has 1 tokens"),
    (10, 1, 10, "bptt=10 is longer than the text, which has 10 tokens; use a bptt of at most 9"),
    (10, 11, 3, "batch_size=11 rows for a text of 10 tokens"),
])
def test_texts_that_are_too_short(tokens, rows, bptt, said):
    with pytest.raises(data.TextError, match=said):
        data.LanguageLoader(np.zeros(tokens, int), rows, bptt)


@pytest.mark.parametrize("sizes", [{"batch_size": 0}, {"bptt": 0}, {"bptt": 2.5},
                                   {"batch_size": True}])
def test_sizes_that_make_no_sense(sizes):
    with pytest.raises(ValueError, match=f"{next(iter(sizes))} must be a positive integer"):
        data.LanguageLoader(np.zeros(100, int), **sizes)
    with pytest.raises(TypeError, match="numpy.random.Generator"):
        data.LanguageLoader(np.zeros(100, int), 2, 2, generator=7)


def test_a_learners_batches_can_take_their_place():
    def own(stream, batch_size, bptt, number):
        return np.full((batch_size, bptt), number), np.zeros((batch_size, bptt), int)

    with swapped(language_batch, function=own):
        read = batches(data.LanguageLoader(np.arange(20), 2, 5))
    assert [x[0, 0] for x, _ in read] == [0, 1]


def test_a_corpus_numbers_both_parts_by_the_first():
    corpus = data.Corpus.of(["a", "a"], ["a", "b"], "ab")
    assert corpus.train.tolist() == [8, 8] and corpus.valid.tolist() == [8, 0]
