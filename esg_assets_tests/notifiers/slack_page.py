"""Blocks of Slack as a small HTML page: near enough to what Slack shows to be looked at."""

import html
import re
from collections.abc import Iterator, Sequence
from typing import Any

_EMOJI = {
    ":red_circle:": "🔴",
    ":large_yellow_circle:": "🟡",
    ":large_green_circle:": "🟢",
    ":information_source:": "ℹ️",  # noqa: RUF001 - Slack's own sign
    ":construction:": "🚧",
}
_STYLE = """
body { margin: 0; padding: 20px; background: #fff; color: #1d1c1d; font: 15px/1.46 Lato, Arial, sans-serif; }
.message { max-width: 680px; } .who { font-weight: bold; } .who small { color: #616061; font-weight: normal; }
h3 { margin: 8px 0; font-size: 18px; } p { margin: 8px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 16px; margin: 8px 0; }
.fields div { white-space: pre-wrap; overflow-wrap: anywhere; }
.context { color: #616061; font-size: 12px; margin: 8px 0; overflow-wrap: anywhere; }
code { padding: 1px 3px; border: 1px solid #ddd; border-radius: 3px; background: #f8f8f8; color: #c01343; }
a { color: #1264a3; text-decoration: none; }
"""


def page_of(blocks: Sequence[dict[str, Any]]) -> str:
    """One page with the message that the blocks make."""
    shown = "\n".join(line for block in blocks for line in _shown(block))
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
    who = '<div class="who">ESG report <small>APP 05:07</small></div>'
    body = f'<body><div class="message">{who}{shown}</div></body>'
    return f'<!doctype html><html lang="en"><head>{head}</head>{body}</html>'


def _shown(block: dict[str, Any]) -> Iterator[str]:
    match block["type"]:
        case "header":
            yield f"<h3>{_signs(html.escape(block['text']['text']))}</h3>"
        case "section":
            if "text" in block:
                yield f"<p>{_mrkdwn(block['text']['text'])}</p>"
            fields = "".join(f"<div>{_mrkdwn(field['text'])}</div>" for field in block.get("fields", ()))
            if fields:
                yield f'<div class="fields">{fields}</div>'
        case "context":
            for element in block["elements"]:
                yield f'<div class="context">{_mrkdwn(element["text"])}</div>'


def _mrkdwn(text: str) -> str:
    text = re.sub(r"<(https?://[^|>]+)\|([^>]+)>", r'<a href="\1">\2</a>', text)
    text = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", text)
    text = re.sub(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])", r"<b>\1</b>", text)
    return _signs(text)


def _signs(text: str) -> str:
    for name, sign in _EMOJI.items():
        text = text.replace(name, sign)
    return text
