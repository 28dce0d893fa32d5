"""Pairs in turn: what is compared runs A B A B, each for about as long, in processes that stay, so
that whatever disturbs the machine disturbs both."""

import statistics
import typing

import subjects
from peers import Peers


class Effort(typing.NamedTuple):
    rounds: int  # at most
    calm: int  # so many without a better one end it sooner
    seconds: float  # of one run
    idle: int  # connections
    levels: typing.Tuple[str, ...]  # of live connections
    fresh: int  # processes for what can be measured once in one
    handles: int  # rounds of the handle program


TINY = Effort(1, 1, 0.0, 20, subjects.LEVELS[:2], 1, 1)
SHORT = Effort(7, 3, 0.04, 1000, subjects.LEVELS[:4], 3, 100)
LONG = Effort(21, 6, 0.1, 10000, subjects.LEVELS, 5, 300)
BETTER = 0.995  # of the best time so far


def _once(peers: Peers, run: subjects.Run, count: int) -> float:
    return peers.get(run.peer, run.key).ask(run.asked, count)[run.number]


def _count(peers: Peers, run: subjects.Run, seconds: float) -> int:
    """Returns how often the work is done in so many seconds, having warmed up."""
    count, took = 2, _once(peers, run, 2)
    while took < seconds / 4 and count < 1 << 30:
        count *= 4
        took = _once(peers, run, count)
    return max(2, round(count * seconds / took) & ~1)


def _rounds(peers: Peers, runs: list, effort: Effort) -> list:
    """Returns the times of pairs, each of one piece of work, until both bests have settled."""
    counts = [_count(peers, run, effort.seconds) for run in runs]
    took, best, calm = [], [float("inf")] * 2, 0
    while len(took) < effort.rounds and calm < effort.calm:
        pair = [_once(peers, run, count) / count for run, count in zip(runs, counts)]
        better = any(time < least * BETTER for time, least in zip(pair, best))
        calm = 0 if better else calm + 1
        best = [min(both) for both in zip(best, pair)]
        took.append(pair)
    return took


def compare(peers: Peers, base: subjects.Run, other: subjects.Run, effort: Effort) -> dict:
    """Returns how many times as fast the other is as the base: by the best runs, and the median of
    the pairs; and the microseconds of both."""
    took = _rounds(peers, [base, other], effort)
    best = [min(times) for times in zip(*took)]
    return {
        "ratio": round(best[0] / best[1], 3),
        "median": round(statistics.median(pair[0] / pair[1] for pair in took), 3),
        "base_us": round(best[0] * 1e6, 3),
        "us": round(best[1] * 1e6, 3),
    }


def idle(peers: Peers, peer: str, subject: str, effort: Effort) -> dict:
    """Returns the kilobytes of an idle server and an idle client."""
    server, client = peers.get(peer).ask(subject, effort.idle)
    return {"server": round(server / 1000, 2), "client": round(client / 1000, 2)}


def growth(peers: Peers, peer: str, live: str) -> dict:
    """Returns what an echo takes and a connection holds among so many live ones."""
    seconds, held = peers.get(peer).ask("growth", int(live))
    return {"us": round(seconds * 1e6, 3), "kb": round(held / 1000, 2)}


def trust(peers: Peers, peer: str, effort: Effort) -> dict:
    """Returns the milliseconds of a process's first context with the system's trust, and of later
    ones."""
    both = []
    for _ in range(effort.fresh):
        fresh = peers.fresh(peer)
        both.append(fresh.ask("trust", 20))
        fresh.close()
    first, later = (min(times) * 1000 for times in zip(*both))
    return {"first": round(first, 3), "second": round(later, 3)}
