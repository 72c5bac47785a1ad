"""Line drawings as SVG, small, without any library, legible on a light and on a dark page."""

import math
from html import escape

COLOURS = ["#2f7ed8", "#d9822b", "#2f9e63", "#b455c9", "#c94a4a", "#7a7f87"]
STYLE = """<style>
text { font: 12px system-ui, sans-serif; fill: #444b55 }
.title { font-size: 14px; font-weight: 600 }
.grid { stroke: #8a919c; stroke-opacity: .25 }
.line { fill: none; stroke-width: 2 }
@media (prefers-color-scheme: dark) { text { fill: #c3c9d2 } }
</style>"""

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 74, 206, 40, 46


def in_words(value, unit):
    """A tick of an axis: 2.5 us, 40 M/s."""
    if unit == "ns":
        for size, name in ((1e9, "s"), (1e6, "ms"), (1e3, "us")):
            if value >= size:
                return f"{value / size:g} {name}"
        return f"{value:g} ns"
    for size, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:g}{name}{unit}"
    return f"{value:g} {unit}"


def ticks_between(low, high):
    """Powers of ten, with 2 and 5 between them where there are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1,) if last - first > 3 else (1, 2, 5)
    every = [step * 10.0 ** power for power in range(first, last + 1) for step in steps]
    return [tick for tick in every if low * 0.999 <= tick <= high * 1.001]


def limits_of(series):
    values = [value for _, points in series for value in points if value is not None and value > 0]
    if not values:
        raise ValueError("there is nothing to draw")
    low, high = min(values), max(values)
    return low / 1.3, high * 1.3


def line_chart(title, x_title, x_labels, series, unit):
    """`series` is a list of (name, values); a value of None leaves a gap. The y axis is a scale of
    powers of ten; x is one place for each label."""
    low, high = limits_of(series)
    span = math.log(high / low)

    def x_of(index):
        return LEFT + (WIDTH - LEFT - RIGHT) * index / max(1, len(x_labels) - 1)

    def y_of(value):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * math.log(value / low) / span

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             f'role="img" aria-label="{escape(title)}">', STYLE,
             f'<text class="title" x="{LEFT}" y="20">{escape(title)}</text>']
    for tick in ticks_between(low, high):
        y = y_of(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" '
                     f'y2="{y:.1f}"/><text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
                     f'{in_words(tick, unit)}</text>')
    for index, label in enumerate(x_labels):
        parts.append(f'<text x="{x_of(index):.1f}" y="{HEIGHT - BOTTOM + 18}" '
                     f'text-anchor="middle">{escape(label)}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 8}" '
                 f'text-anchor="middle">{escape(x_title)}</text>')
    for number, (name, values) in enumerate(series):
        parts += one_line(number, name, values, x_of, y_of)
    return "\n".join([*parts, "</svg>"]) + "\n"


def one_line(number, name, values, x_of, y_of):
    colour = COLOURS[number % len(COLOURS)]
    places = [(x_of(index), y_of(value)) for index, value in enumerate(values)
              if value is not None and value > 0]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    legend_y = TOP + 14 + 20 * number
    x = WIDTH - RIGHT + 16
    return [f'<polyline class="line" stroke="{colour}" points="{path}"/>',
            *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places),
            f'<line class="line" stroke="{colour}" x1="{x}" x2="{x + 18}" y1="{legend_y}" '
            f'y2="{legend_y}"/><text x="{x + 24}" y="{legend_y + 4}">{escape(name)}</text>']
