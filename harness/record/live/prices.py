"""What a recording costs: list prices, dated, and upper bounds made of them."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

from harness.yaml_lines import shipped

_CLOUD = re.compile(r"^(?:(?:us|eu|apac|jp|au|ca|global|us-gov)\.)?(?:anthropic|amazon|openai|google|xai)[./]|^models/")
"""What Bedrock's ids and others' have before the model's name."""
_VERSION = re.compile(r"(?:[-@]\d{4}-?\d{2}-?\d{2}|-v\d+(?::\d+)?|-latest|-preview|-\d{3}|@\w+)+$")
"""What clouds and dated snapshots have behind it."""
TEMPLATE_TOKENS = 600
"""Added to what a request holds: the words that providers put around tools and messages."""


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens of input and of output."""

    into: float
    out: float

    def of(self, tokens_in: float, tokens_out: float) -> float:
        """In USD."""
        return (tokens_in * self.into + tokens_out * self.out) / 1_000_000

    def bound(self, body: bytes, limit: int) -> float:
        """The most that a request can cost, in USD, if its answer has at most ``limit`` tokens.

        No tokenizer makes more tokens than there are bytes.
        """
        return self.of(len(body) + TEMPLATE_TOKENS, limit)


@functools.cache
def _table() -> Any:
    return shipped("harness.record.live", "prices.yaml")


def as_of() -> str:
    """The day of the price list, ``YYYY-MM-DD``."""
    return str(_table()["as_of"])


def price_of(model: str) -> Price | None:
    """The price of a model, whatever cloud names it how; None if the table does not have it."""
    name = _CLOUD.sub("", model)
    while True:
        found = _table()["models"].get(name)
        if found is not None:
            return Price(*found)
        shorter = _VERSION.sub("", name)
        if shorter == name:
            return None
        name = shorter
