import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from spikinghash.errors import ConfigError
from spikinghash.front_ends.bag_of_words import PATTERN, BagOfWords

TEXTS = st.lists(st.text("ab c'd-1É", max_size=12), min_size=1, max_size=12).filter(
    lambda texts: any(re.search(PATTERN, text.lower()) for text in texts)
)


@given(TEXTS, st.integers(1, 5))
def test_it_is_what_scikit_learn_computes_with_the_same_words(texts, words):
    ours = BagOfWords(words).fit(texts)
    theirs = TfidfVectorizer(token_pattern=PATTERN, vocabulary=ours.vocabulary, norm="l2", smooth_idf=True)
    assert np.allclose(ours(texts), theirs.fit_transform(texts).toarray(), atol=1e-6)


@given(TEXTS, st.integers(1, 5))
def test_words_are_those_that_most_texts_have(texts, words):
    having = {}
    for text in texts:
        for word in set(re.findall(PATTERN, text.lower())):
            having[word] = having.get(word, 0) + 1
    found = BagOfWords(words).fit(texts).vocabulary
    assert len(found) == min(words, len(having))
    left = set(having) - set(found)
    assert all((-having[a], a) < (-having[b], b) for a in found for b in left)


def test_words_are_small_letters_figures_and_apostrophes():
    bag = BagOfWords(50).fit(["A dog's Bowl; 3 cats-and-dogs, naïve"])
    assert bag.vocabulary == ["3", "a", "and", "bowl", "cats", "dog's", "dogs", "na", "ve"]


def test_a_text_is_of_unit_length_or_has_no_known_word():
    bag = BagOfWords(3).fit(["a dog", "a cat", "a dog and a cat"])
    found = bag(["a dog", "nothing of it", "", "DOG dog dog cat"])
    assert np.allclose(np.linalg.norm(found, axis=1), [1, 0, 0, 1])
    assert found[3][bag.vocabulary.index("dog")] > found[3][bag.vocabulary.index("cat")]


def test_what_it_cannot_do_is_said():
    for wrong in (lambda: BagOfWords(0), lambda: BagOfWords(5).fit(["!", ""]), lambda: BagOfWords(2, ["a"], [])):
        with pytest.raises(ConfigError):
            wrong()
