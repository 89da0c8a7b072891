"""faiss in threads of ours, each of which computes alone, so that sums come out alike."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from sqlfuncs import work


@contextmanager
def one_thread_each() -> Iterator[ThreadPoolExecutor]:
    """Workers in which faiss and its BLAS use one thread, so that sums come out alike."""
    pool = ThreadPoolExecutor(
        os.cpu_count(), "neighbours", initializer=lambda: load_faiss().omp_set_num_threads(1)
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def load_faiss() -> Any:
    """The library, which is loaded when it is first needed."""
    if sys.platform == "darwin":
        # The wheels of faiss and torch each bring an OpenMP, and the second one to start would
        # end the process. That is safe to overrule here: faiss gets no threads of OpenMP's.
        os.environ.setdefault("KMP_DUPLICATE_LIB_OK", "TRUE")
    work.ready("faiss")
    import faiss

    return faiss
