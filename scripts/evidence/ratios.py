"""Ratios of two cases within the blocks of a run: geometric mean with its 95 % interval. Knows numbers only."""

import functools
import math
from dataclasses import dataclass


@dataclass
class Ratio:
    """A geometric mean over blocks with the limits of its 95 % interval; without limits where one block is all."""

    mean: float
    low: float
    high: float
    blocks: int

    def shown(self, digits=2):
        if self.blocks < 2:
            return f"{self.mean:.2f}"
        return f"{self.mean:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def density_of_t(x, freedom):
    log = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2
    return math.exp(log - (freedom + 1) / 2 * math.log1p(x * x / freedom))


@functools.lru_cache
def quantile_of_t(freedom, share=0.975, steps=2000):
    """The quantile of Student's t, above 0.5: Simpson's rule for the distribution, halving for its inverse."""
    def between_0_and(x):
        width = x / steps
        inner = sum((4 if i % 2 else 2) * density_of_t(i * width, freedom) for i in range(1, steps))
        return (density_of_t(0, freedom) + inner + density_of_t(x, freedom)) * width / 3
    low, high = 0.0, 64.0
    while high - low > 1e-7:
        middle = (low + high) / 2
        low, high = (middle, high) if between_0_and(middle) < share - 0.5 else (low, middle)
    return (low + high) / 2


def paired_ratio(mine, theirs):
    """The ratio mine / theirs from {block: value} of both, over the blocks that have both."""
    logs = [math.log(mine[block] / theirs[block]) for block in sorted(mine) if block in theirs]
    if not logs:
        raise ValueError("the two cases share no block")
    mean = sum(logs) / len(logs)
    if len(logs) == 1:
        return Ratio(math.exp(mean), 0.0, math.inf, 1)
    deviation = math.sqrt(sum((x - mean) ** 2 for x in logs) / (len(logs) - 1))
    half = quantile_of_t(len(logs) - 1) * deviation / math.sqrt(len(logs))
    return Ratio(math.exp(mean), math.exp(mean - half), math.exp(mean + half), len(logs))


def of_trials(mine, theirs, value):
    """The ratio of a value of trials, which have a block each, within the blocks of two cases."""
    return paired_ratio(*({trial.block: value(trial) for trial in trials} for trials in (mine, theirs)))
