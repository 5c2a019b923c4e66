"""Text: the spelt numbers, tokens, vocabularies, and the loader of language models."""

from .corpus import Corpus, numbers_corpus, read_text, text_corpus
from .language import LanguageLoader, language_batch
from .spelling import human_numbers, spell
from .tokens import SPECIALS, readable, tokenize
from .vocabulary import Vocabulary

__all__ = ["SPECIALS", "Corpus", "LanguageLoader", "Vocabulary", "human_numbers", "language_batch",
           "numbers_corpus", "read_text", "readable", "spell", "text_corpus", "tokenize"]
