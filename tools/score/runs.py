# SPDX-License-Identifier: MIT
"""Score: many runs in several processes, with a progress bar."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

Job = TypeVar("Job")
Found = TypeVar("Found")


def each(
    work: Callable[[Job], Found],
    jobs: Sequence[Job],
    weight: Callable[[Job], float],
    workers: int,
    title: str,
) -> list[Found]:
    """The results of `work` for each job, in their order; `workers` 0 takes all cores. Work and
    jobs are pickled. Raises what `work` raises, and cancels the rest."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"{title} {len(jobs)} runs", total=sum(map(weight, jobs)))
        found: dict[int, Found] = {}
        for index, result in _results(work, jobs, min(workers or os.cpu_count() or 1, len(jobs))):
            found[index] = result
            progress.advance(task, weight(jobs[index]))
    return [found[index] for index in range(len(jobs))]


def _results(
    work: Callable[[Job], Found], jobs: Sequence[Job], count: int
) -> Iterator[tuple[int, Found]]:
    if count == 1:
        yield from ((index, work(job)) for index, job in enumerate(jobs))
        return
    # Spawned: a fork would inherit the threads of the progress bar half alive.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, _end_with_parent, (os.getpid(),)) as pool:
        futures: dict[Future[Found], int] = {
            pool.submit(work, job): index for index, job in enumerate(jobs)
        }
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _end_with_parent(parent: int) -> None:
    """End this worker with its command: a worker of a killed command would wait for ever."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
