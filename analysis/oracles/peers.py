"""What was compared with which peer: one line for each at the end of the tests."""

from collections import Counter
from importlib.metadata import version

AGREEMENTS: Counter[str] = Counter()
EXPLAINED: Counter[tuple[str, str]] = Counter()


def agrees(peer: str, cases: int = 1) -> None:
    """So many cases were compared with a peer, and the answers were the same."""
    AGREEMENTS[peer] += cases


def differs(peer: str, why: str, cases: int = 1) -> None:
    """So many answers of a peer were different, and the test has shown that the peer's are wrong or missing."""
    EXPLAINED[peer, why] += cases


def summary() -> list[str]:
    peers = sorted({*AGREEMENTS, *(peer for peer, _ in EXPLAINED)})
    lines = []
    for peer in peers:
        explained = {why: count for (of, why), count in EXPLAINED.items() if of == peer and count}
        cases = AGREEMENTS[peer] + sum(explained.values())
        line = f"{peer} {version(peer)}: {cases} cases, {AGREEMENTS[peer]} agreements"
        if explained:
            reasons = "; ".join(f"{count} {why}" for why, count in explained.items())
            line += f", {sum(explained.values())} disagreements explained ({reasons})"
        else:
            line += ", no disagreement"
        lines.append(line)
    return lines
