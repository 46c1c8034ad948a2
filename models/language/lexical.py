"""BM25 over words and character n-grams: a tantivy index in memory, updated while it serves."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tantivy import Document, Index, Occur, Query, SchemaBuilder

_HEAP_BYTES = 15_000_000  # of the one writing thread: the least that tantivy takes
_QUERY_TERMS = 256  # of a question that are sought; a long one says the same again
_ANYBODY = ""  # whom texts about nobody are about; what they are about is stored with a prefix


@dataclass(frozen=True, slots=True)
class Entry:
    """One text as it is indexed."""

    terms: Sequence[str]  # none may hold white space
    about: str | None = None  # what the text is about; None: everything


class LexicalIndex:
    """Texts by key, ranked by BM25 (Robertson et al., 1994; k1 1.2, b .75).

    An `apply` is visible as a whole, in about 3 ms. Searches may run on any thread; two `apply` at once are the caller's to prevent.
    Statistics still count what was replaced until tantivy merges its segments, so scores drift by a little; which texts match does not.
    """

    def __init__(self) -> None:
        builder = SchemaBuilder()
        builder.add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
        builder.add_text_field("about", tokenizer_name="raw", index_option="basic")
        builder.add_text_field("terms", tokenizer_name="whitespace", index_option="freq")
        self._schema = builder.build()
        self._index = Index(self._schema)
        self._index.config_reader(reload_policy="manual")
        self._writer = self._index.writer(heap_size=_HEAP_BYTES, num_threads=1)

    def __len__(self) -> int:
        return self._index.searcher().num_docs

    def apply(self, upserts: Mapping[str, Entry], removes: Iterable[str] = ()) -> None:
        """All these changes in one step: removes first, then upserts; an unknown key is no error."""
        gone = {*removes, *upserts}
        if not gone:
            return
        documents = [_document(key, entry) for key, entry in upserts.items()]
        try:
            for key in gone:
                self._writer.delete_documents_by_term("key", key)
            for document in documents:
                self._writer.add_document(document)
            self._writer.commit()
        except BaseException:
            self._writer.rollback()
            raise
        self._index.reload()

    def search(self, terms: Iterable[str], k: int, *, about: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` texts with the best scores, best first, ties by key; texts that share no term are left out.

        With `about` only texts about one of those, or about everything.
        """
        wanted = list(dict.fromkeys(terms))[:_QUERY_TERMS]
        if not wanted or k < 1:
            return []
        sought = Query.boolean_query([(Occur.Should, Query.term_query(self._schema, "terms", term)) for term in wanted])
        if about is not None:
            allowed = Query.term_set_query(self._schema, "about", [_ANYBODY, *(f"={each}" for each in about)])
            sought = Query.boolean_query([(Occur.Must, sought), (Occur.Must, Query.const_score_query(allowed, 0.0))])
        searcher = self._index.searcher()
        hits = [(str(searcher.doc(place)["key"][0]), float(score)) for score, place in searcher.search(sought, k).hits]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))


def _document(key: str, entry: Entry) -> Document:
    about = _ANYBODY if entry.about is None else f"={entry.about}"
    return Document(key=[key], about=[about], terms=[" ".join(entry.terms)])
