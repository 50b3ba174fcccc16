"""``python -m agent_console.ops``: make the generated files of this folder again."""

from __future__ import annotations

from agent_console.ops.kit import FILES, generated


def main() -> None:
    """Write what is made from the metrics into ``agent_console/ops/files``."""
    for name, text in generated().items():
        (FILES / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
