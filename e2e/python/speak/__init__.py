"""The vendors' clients behind one interface, so that one table of tests fits them all. One module per dialect."""

import base64
from dataclasses import dataclass, field

# A red dot, 1 by 1.
IMAGE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)

# The smallest PDF that is one.
DOCUMENT = base64.b64encode(b"%PDF-1.1\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n").decode()


@dataclass
class Call:
    """A tool's call."""

    id: str
    name: str
    arguments: dict


@dataclass
class Said:
    """An answer: what all dialects have in common, and `turn`, the client's own objects for the history."""

    text: str
    calls: list[Call]
    stop: str
    usage: tuple[int, int]
    thought: str
    turn: list = field(repr=False)


def tool(name, what):
    """A tool as the clients' `ask` takes it; it asks for a city."""
    return {
        "name": name,
        "description": f"The {what} in a city",
        "schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    }
