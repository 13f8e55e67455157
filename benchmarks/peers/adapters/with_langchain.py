"""LangChain: vectors in Chroma and its BM25 retriever, fused by EnsembleRetriever in equal parts."""

from __future__ import annotations

from pathlib import Path

from langchain_chroma import Chroma
from langchain_classic.retrievers import EnsembleRetriever
from langchain_community.retrievers import BM25Retriever
from langchain_core.documents import Document
from langchain_huggingface import HuggingFaceEmbeddings
from peer import FOUND, MODEL, Search, documents, run


def _store(folder: Path) -> Chroma:
    return Chroma("corpus", HuggingFaceEmbeddings(model_name=MODEL), persist_directory=str(folder))


def index(corpus: str, folder: Path) -> None:
    found = documents(corpus)
    records = [Document(text, metadata={"id": name}) for name, text in found]
    _store(folder).add_documents(records, ids=[name for name, _ in found])


def opened(folder: Path) -> Search:
    store = _store(folder)
    # Its BM25 cannot be kept on disk, so that every process makes it from the texts in the store.
    kept = store.get(include=["documents", "metadatas"])
    words = BM25Retriever.from_texts(kept["documents"], kept["metadatas"], k=FOUND)
    meaning = store.as_retriever(search_kwargs={"k": FOUND})
    both = EnsembleRetriever(retrievers=[words, meaning], weights=[0.5, 0.5])
    return lambda question: [hit.metadata["id"] for hit in both.invoke(question)][:FOUND]


run(opened, index)
