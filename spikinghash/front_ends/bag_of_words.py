"""The front end `bag_of_words`: which of the usual words a text has, weighed by how rare they are.

Salton and Buckley, "Term-weighting approaches in automatic text retrieval", Information Processing & Management 24,
1988: term frequency times inverse document frequency, unit length. The inverse is smoothed as scikit-learn's:
ln((1 + N) / (1 + n_w)) + 1 for a word that n_w of N texts have.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError
from spikinghash.front_ends.front_end import Raw, Reads, described, text_of

#: What a word is, in a text in lower case.
PATTERN = r"[a-z0-9]+(?:'[a-z]+)?"
MAX_WORDS = 65_536


class BagOfWords:
    """`vocabulary` are the words that most training texts have, at most `words` of them, in the order of the features;
    `idf` [D] float32 what each weighs. Words beside them count for nothing, and a text without any is all zeros.
    """

    name: ClassVar[str] = "bag_of_words"
    reads: ClassVar[Reads] = "text"

    def __init__(
        self, words: int = 1000, vocabulary: Sequence[str] = (), idf: Sequence[float] = (), pattern: str = PATTERN
    ) -> None:
        if not 1 <= words <= MAX_WORDS:
            raise ConfigError(f"bag_of_words takes 1 to {MAX_WORDS} words, not {words}")
        if len(vocabulary) != len(idf) or len(set(vocabulary)) != len(vocabulary):
            raise ConfigError("the vocabulary of a bag of words is damaged: words and weights do not go together")
        self.words, self.vocabulary, self.pattern = words, list(vocabulary), pattern
        self.idf = np.asarray(idf, np.float32)
        self._find = re.compile(pattern)
        self._place = {word: place for place, word in enumerate(self.vocabulary)}

    def fit(self, raw: Iterable[Raw]) -> Self:
        """The words that most of these texts have; of equally many the first in the alphabet."""
        texts, having = 0, Counter[str]()
        for text in raw:
            having.update(set(self._words(text)))
            texts += 1
        if not having:
            raise ConfigError("no training text has a word; bag_of_words has nothing to learn from")
        chosen = sorted(sorted(having), key=lambda word: -having[word])[: self.words]
        idf = [float(np.float32(np.log((1 + texts) / (1 + having[word])) + 1)) for word in chosen]
        return type(self)(self.words, chosen, idf, self.pattern)

    def __call__(self, raw: Sequence[Raw]) -> NDArray[np.float32]:
        """Texts -> float32 [N, D] of unit length, or all zeros."""
        out = np.zeros((len(raw), len(self.vocabulary)), np.float32)
        for row, text in enumerate(raw):
            for word, times in Counter(self._words(text)).items():
                place = self._place.get(word)
                if place is not None:
                    out[row, place] = times * self.idf[place]
        # each row by itself and in double, so that no other text of the call changes a bit
        norms = np.sqrt(np.einsum("nd,nd->n", out, out, dtype=np.float64))
        return (out / np.where(norms > 0, norms, 1)[:, None]).astype(np.float32)

    def _words(self, text: Raw) -> list[str]:
        return self._find.findall(text_of(text, self.name).lower())

    def describe(self) -> dict[str, Any]:
        """With all words and weights, so that a text is encoded the same way years later."""
        options = {"words": self.words, "pattern": self.pattern, "vocabulary": self.vocabulary}
        return described(self.name, 1, options | {"idf": [float(weight) for weight in self.idf]})

    @classmethod
    def rebuild(cls, description: dict[str, Any], folder: Path) -> Self:
        """Undo `describe`."""
        return cls(description["words"], description["vocabulary"], description["idf"], description["pattern"])
