"""LlamaIndex: its default splitter, vectors in Chroma, its BM25 retriever, fused by reciprocal ranks."""

from __future__ import annotations

from pathlib import Path

import chromadb
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.llms import MockLLM
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.retrievers.bm25 import BM25Retriever
from llama_index.vector_stores.chroma import ChromaVectorStore
from peer import FOUND, MODEL, Search, documents, run


def _store(folder: Path) -> ChromaVectorStore:
    client = chromadb.PersistentClient(str(folder / "chroma"))
    return ChromaVectorStore(chroma_collection=client.get_or_create_collection("corpus"))


def index(corpus: str, folder: Path) -> None:
    records = [Document(text=text, id_=name) for name, text in documents(corpus)]
    nodes = SentenceSplitter().get_nodes_from_documents(records)
    storage = StorageContext.from_defaults(vector_store=_store(folder))
    VectorStoreIndex(nodes, storage_context=storage, embed_model=HuggingFaceEmbedding(MODEL))
    BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=FOUND).persist(str(folder / "bm25"))


def opened(folder: Path) -> Search:
    vectors = VectorStoreIndex.from_vector_store(_store(folder), embed_model=HuggingFaceEmbedding(MODEL))
    retriever = QueryFusionRetriever(
        [
            vectors.as_retriever(similarity_top_k=FOUND),
            BM25Retriever.from_persist_dir(str(folder / "bm25")),
        ],
        llm=MockLLM(),  # which is not asked, since the question is taken as it is
        num_queries=1,
        similarity_top_k=FOUND,
        mode="reciprocal_rerank",
        use_async=False,
    )
    return lambda question: [str(hit.node.ref_doc_id) for hit in retriever.retrieve(question)]


run(opened, index)
