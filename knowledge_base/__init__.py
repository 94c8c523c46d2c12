"""Reading, checking, cutting, embedding, indexing, ranking and serving the Markdown articles.

Light modules for other packages: `knowledge_base.library` (read articles without a model) and
`knowledge_base.search_client` (ask the search service). Nothing here imports torch, sentence-transformers or
scikit-learn except `export` and `training`, which run at build time in a process of their own.
"""
