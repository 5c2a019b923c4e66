"""The learner's progress as a page that needs nothing else: one file, no scripts."""

from __future__ import annotations

from html import escape

from .learner import STARS, lessons, progress
from .work import Work

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff }
.bar { background: #e6e6e6; border-radius: 4px; height: 12px; margin: .3rem 0 1rem }
.bar div { background: #2a7f62; border-radius: 4px; height: 12px }
table { border-collapse: collapse; width: 100% } td { padding: .15rem .5rem .15rem 0 }
td.n { text-align: right; white-space: nowrap } .done { color: #2a7f62 } .seen { color: #777 }
@media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd }
  .bar { background: #333 } .done, .bar div { color: #6fd0ab } }
"""


def page(title: str, body: str, style: str = "") -> str:
    """Wrap a body into a whole page; `style` adds to the style of all pages."""
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width">'
            f"<title>{escape(title)}</title><style>{STYLE}{style}</style></head>\n"
            f"<body><h1>{escape(title)}</h1>\n{body}</body></html>\n")


def progress_page(work: Work) -> str:
    """Return the page that `minilearn status --html` writes."""
    rows = progress(work)
    done, total = sum(r[1] for r in rows), sum(r[2] for r in rows)
    points, possible = sum(r[3] for r in rows), sum(r[4] for r in rows)
    body = [f"<p><strong>{done} of {total}</strong> exercises are yours, {points} of {possible} "
            "points.</p>", bar(done, total)]
    for (lesson, n, of, _, _), exercises in zip(rows, lessons().values(), strict=True):
        body.append(f"<h2>{escape(lesson)} <small>{n}/{of}</small></h2>{bar(n, of)}<table>")
        body += [_row(work, e) for e in exercises]
        body.append("</table>")
    return page("minilearn: my progress", "\n".join(body))


def bar(done: int, total: int) -> str:
    """Draw how much of something is done."""
    return f'<div class="bar"><div style="width:{100 * done / max(total, 1):.0f}%"></div></div>'


def _row(work: Work, e) -> str:
    done = work.done(e)
    seen = ' <span class="seen">solution seen</span>' if work.record(e).solution_seen else ""
    mark = '<span class="done">✓</span>' if done else "·"
    return (f"<tr><td>{mark}</td><td><code>{escape(e.name)}</code></td>"
            f"<td>{escape(e.title)}{seen}</td><td>{STARS[e.difficulty - 1]}</td>"
            f'<td class="n">{e.points} points</td></tr>')
