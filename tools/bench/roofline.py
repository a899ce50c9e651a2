"""Draws what the benchmarks reach against the machine's roofs, as SVG: on the left FLOP/s over FLOP per byte, on the
right the share of the reading bandwidth of work that only moves bytes."""
import html
import math

WIDTH, HEIGHT = 1480, 620
PLOT = 90, 60, 620, 480  # left, top, width, height
BARS = 1190, 60, 220, 480
INK, GRID, ROOF, POINT = "#222", "#ddd", "#b03a2e", "#1f618d"


def text(x, y, words, size=12, anchor="start", colour=INK, more=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"{more}>'
            f"{html.escape(str(words))}</text>")


def line(x1, y1, x2, y2, colour=INK, width=1.0, more=""):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"'
            f' stroke-width="{width}"{more}/>')


def size_name(count):
    return f"{count / 2**20:.0f} MiB"


def spread(positions, least):
    """Moves label positions apart, keeping their order."""
    order = sorted(range(len(positions)), key=positions.__getitem__)
    moved = list(positions)
    for before, after in zip(order, order[1:]):
        moved[after] = max(moved[after], moved[before] + least)
    return moved


def roofs(points, limits):
    """The log-log plot. limits: bytes a ms of reading by size, FLOPs a ms; points: (key, amounts, ms)."""
    left, top, width, height = PLOT
    peak = limits["fma"] * 1e3
    slopes = {size: rate * 1e3 for size, rate in limits["read"].items()}
    at = [(amounts["FLOP/s"] / amounts["bytes_per_second"], 1e3 * amounts["FLOP/s"] / ms, key)
          for key, amounts, ms in points if {"FLOP/s", "bytes_per_second"} <= amounts.keys()]
    xs = [x for x, _, _ in at] + [peak / rate for rate in slopes.values()]
    ys = [y for _, y, _ in at] + [peak] + ([1e3 * limits["bf16"]] if limits["bf16"] else [])
    x0, x1 = math.floor(math.log10(min(xs))) - 0.3, math.ceil(math.log10(max(xs))) + 0.3
    y0, y1 = math.floor(math.log10(min(ys))) - 0.3, math.ceil(math.log10(max(ys)))

    def place(x, y):
        return (left + width * (math.log10(x) - x0) / (x1 - x0), top + height * (y1 - math.log10(y)) / (y1 - y0))

    out = [text(left, top - 24, "FLOP/s over FLOP per byte, one core", 14)]
    for power in range(math.ceil(x0), math.floor(x1) + 1):
        x, _ = place(10.0**power, peak)
        out += [line(x, top, x, top + height, GRID), text(x, top + height + 18, f"{10.0**power:g}", 11, "middle")]
    for power in range(math.ceil(y0), math.floor(y1) + 1):
        _, y = place(1, 10.0**power)
        out += [line(left, y, left + width, y, GRID), text(left - 8, y + 4, f"{10.0**power / 1e9:g} G", 11, "end")]
    out.append(f'<clipPath id="plot"><rect x="{left}" y="{top}" width="{width}" height="{height}"/></clipPath>')
    _, y = place(1, peak)
    starts = []
    for size, rate in sorted(slopes.items(), key=lambda item: item[1]):
        knee, _ = place(peak / rate, peak)
        low = place(10.0**x0, rate * 10.0**x0)
        out.append(line(*low, knee, y, ROOF, 1.2, ' clip-path="url(#plot)"'))
        starts.append((size, rate, knee))
    out.append(line(min(knee for _, _, knee in starts), y, left + width, y, ROOF, 1.6))
    out.append(text(left + width - 6, y - 6, f"f32 multiply-add {peak / 1e9:.0f} GFLOP/s", 11, "end", ROOF))
    if limits["bf16"]:
        _, high = place(1, 1e3 * limits["bf16"])
        out.append(line(left + width / 2, high, left + width, high, ROOF, 1.2, ' stroke-dasharray="6 4"'))
        out.append(text(left + width - 6, high - 6, f"PyTorch's bf16 product {limits['bf16'] / 1e6:.0f} GFLOP/s", 11,
                        "end", ROOF))
    fastest, slowest = starts[-1], starts[0]
    out.append(text(left + 6, top + 14, f"reading {size_name(fastest[0])}: {fastest[1] / 1e9:.0f} GB/s, "
                    f"{size_name(slowest[0])}: {slowest[1] / 1e9:.0f} GB/s (sloped)", 11, "start", ROOF))
    at.sort(key=lambda item: place(item[0], item[1])[1])
    spots = [place(x, flops) for x, flops, _ in at]
    labels = spread([y for _, y in spots], 12)
    for (x, y), label, (_, _, key) in zip(spots, labels, at):
        out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{POINT}"/>')
        out.append(line(x, y, left + width + 8, label, POINT, 0.4))
        out.append(text(left + width + 10, label + 4, name_of(key), 10, "start", POINT))
    return out


def name_of(key):
    return key.op if key.impl == "ostend" else f"{key.op} ({key.impl})"


def bars(points, limits):
    left, top, width, height = BARS
    rates = []
    for key, amounts, ms in points:
        if "bytes_per_second" in amounts and "FLOP/s" not in amounts:
            amount = amounts["bytes_per_second"]
            size = min(limits["read"], key=lambda s: abs(math.log(s / amount)))
            rates.append((key, amount / ms / limits["read"][size]))
    if not rates:
        return []
    rates.sort(key=lambda item: -item[1])
    rates = rates[:24]
    step = min(20.0, height / len(rates))
    full = max(1.0, max(share for _, share in rates))
    out = [text(left - 150, top - 24, "Share of the reading bandwidth at that size", 14)]
    for i, (key, share) in enumerate(rates):
        y = top + i * step
        out.append(f'<rect x="{left}" y="{y:.1f}" width="{width * share / full:.1f}" height="{0.7 * step:.1f}"'
                   f' fill="{POINT}"/>')
        out.append(text(left - 6, y + 0.6 * step, name_of(key), 9, "end"))
        out.append(text(left + width * share / full + 4, y + 0.6 * step, f"{100 * share:.0f} %", 9))
    x = left + width / full
    out.append(line(x, top - 8, x, top + len(rates) * step, ROOF, 1.4))
    return out


def draw(points, limits, machine):
    """SVG text. points: (key, {"bytes_per_second": bytes a call, "FLOP/s": FLOPs a call}, ms a call)."""
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"'
             f' viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
             text(20, HEIGHT - 20, machine, 12)]
    if limits["read"] and limits["fma"]:
        parts += roofs(points, limits) + bars(points, limits)
    return "\n".join([*parts, "</svg>"]) + "\n"
