"""The exceptions of this package; every one of them is a `KnowledgeBaseError`."""

from __future__ import annotations


class KnowledgeBaseError(Exception):
    """Something about the articles, the index or the search service went wrong."""


class IndexUnusable(KnowledgeBaseError):
    """A generation is missing, damaged, or made by another model or version; the way out is to build again."""


class IndexDisagrees(IndexUnusable):
    """The files of a generation are what its manifest wants, and still do not belong together; nothing of them may be taken over."""


class EmbeddingUnusable(KnowledgeBaseError):
    """The embedding model is missing, damaged, or of a kind that is not loaded (pickled weights, own code)."""


class LibraryUnavailable(KnowledgeBaseError):
    """There is no readable index to take articles from, yet."""


class SearchUnavailable(KnowledgeBaseError):
    """The search service did not answer in time, or not in the agreed form; the cause is kept."""


class SearchRefused(KnowledgeBaseError):
    """The search service answered with an error: ``status`` and ``code`` say which."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
