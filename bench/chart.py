"""The charts of docs/performance.md: bars, and lines for growth, as SVG that is readable on light
and on dark."""

import subjects
from peers import KINDS

STYLE = """\
<style>
text { font: 12px sans-serif; fill: #1f2328; }
.title { font-weight: bold; }
.ours { fill: #2f81f7; stroke: #2f81f7; }
.theirs { fill: #8c959f; stroke: #8c959f; }
.rule { stroke: #8c959f; stroke-dasharray: 3 3; }
.line { fill: none; stroke-width: 2; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } }
</style>"""

WIDTH, LEFT, RIGHT, ROW, TOP = 720, 150, 60, 20, 46


def _svg(height, parts):
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}">'
    return "\n".join([head, STYLE, *parts, "</svg>"]) + "\n"


def _text(x, y, text, style="", anchor="start"):
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{style}" text-anchor="{anchor}">{text}</text>'


def bars(title, groups, rule=None):
    """Draws groups of bars: (heading, [(label, value, ours)]); the rule marks a value."""
    most = max(value for _, rows in groups for _, value, _ in rows)
    scale = (WIDTH - LEFT - RIGHT) / max(most, rule or 0)
    parts, y = [_text(8, 18, title, "title")], TOP
    for heading, rows in groups:
        parts.append(_text(LEFT, y - 6, heading))
        for label, value, ours in rows:
            style, width = "ours" if ours else "theirs", value * scale
            parts.append(_text(LEFT - 8, y + 13, label, anchor="end"))
            parts.append(f'<rect x="{LEFT}" y="{y + 2}" width="{width:.1f}" height="{ROW - 6}" '
                         f'class="{style}"/>')
            parts.append(_text(LEFT + width + 5, y + 13, f"{value:.3g}"))
            y += ROW
        if rule:
            x = LEFT + rule * scale
            parts.append(f'<line x1="{x:.1f}" y1="{y - ROW * len(rows)}" x2="{x:.1f}" y2="{y}" '
                         'class="rule"/>')
        y += 28
    return _svg(y - 12, parts)


def lines(title, levels, series):
    """Draws (label, values, ours) over levels that grow tenfold."""
    height, bottom = 240, 200
    most = max(value for _, values, _ in series for value in values)
    step = (WIDTH - LEFT - RIGHT) / max(1, len(levels) - 1)
    parts = [_text(8, 18, title, "title")]
    for at, level in enumerate(levels):
        parts.append(_text(LEFT + at * step, bottom + 20, f"{int(level):,}", anchor="middle"))
    for label, values, ours in series:
        style = "ours" if ours else "theirs"
        points = [(LEFT + at * step, bottom - value / most * (bottom - TOP))
                  for at, value in enumerate(values)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" class="line {style}" style="fill: none"/>')
        x, y = points[0]
        parts.append(_text(x - 8, y + (12 if ours else -2), f"{label} {values[0]:.3g}",
                           anchor="end"))
        parts.append(_text(points[-1][0] + 5, points[-1][1] + (12 if ours else -2),
                           f"{values[-1]:.3g}"))
    return _svg(height, parts)


def _streams(results):
    for stem in dict.fromkeys(name.rsplit("_", 1)[0] for name in subjects.STREAMS):
        groups = []
        for way in ("memory", "loopback"):
            found = [(kind.label, results["compared"].get(f"{stem}_{way}: {name}"), kind.ours)
                     for name, kind in KINDS.items()]
            rows = [(label, row["ratio"], ours) for label, row, ours in found if row]
            if rows:
                groups.append((way, rows))
        if groups:
            title = subjects.STREAMS[stem + "_memory"].rsplit(" in ", 1)[0]
            yield stem, bars(f"{title}: speed, OpenSSL from C being 1", groups, 1)


def charts(results):
    """Returns {name: svg} of what was measured."""
    made = dict(_streams(results))
    rows = [(one.name, results["compared"][one.name]["ratio"], one.other.peer == "flatssl")
            for one in subjects.FEATURES if one.name in results["compared"]]
    if rows:
        made["features"] = bars("What a feature saves: times as fast with it", [("", rows)], 1)
    if results["idle"]:
        made["idle"] = bars("Memory of an idle connection, KB", [
            (way.replace("_loopback", ", on a socket").replace("_memory", ", in memory"),
             [(f"{label} {end}", results["idle"][f"{way}: {name}"][end], name == "flatssl")
              for end in ("server", "client") for name, label in
              (("raw", "OpenSSL"), ("flatssl", "flatssl"))])
            for way in ("idle_loopback", "idle_memory", "thrifty_loopback", "thrifty_memory")])
    if results["growth"]:
        levels = [level for level in subjects.LEVELS if f"{level}: raw" in results["growth"]]
        made["growth"] = lines("Echo of 64 B among so many live connections, µs", levels, [
            (KINDS[name].label, [results["growth"][f"{level}: {name}"]["us"] for level in levels],
             name == "flatssl") for name in ("raw", "flatssl")])
    return made
