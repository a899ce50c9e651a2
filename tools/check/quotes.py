#!/usr/bin/env python3
"""Checks that code quoted in README.md, CONTRIBUTING.md and docs/*.md is the code of the files it is from, and that
relative links point at files (and headings) that exist.

A fenced block is held to a file when an HTML comment stands on the line before it:

  <!-- from examples/a.cpp -->         the whole file
  <!-- from examples/a.cpp [name] -->  the lines between "[begin name]" and "[end name]" in the file's comments
  <!-- in examples/a.cpp -->           lines that follow one another somewhere in the file

Quoted parts may be indented less than in the file. Paths are relative to the root.

  quotes.py [ROOT]    ROOT is the project's (default this one)
  quotes.py --write   first puts the files' text into the blocks marked "from"
  quotes.py --test    checks the check on texts made for it
"""

import argparse
import pathlib
import re
import sys
import tempfile
import textwrap

COMMENT = re.compile(r"^\s*<!--\s*(from|in)\s+(\S+)(?:\s+\[([^\]]+)\])?\s*-->\s*$")
LOOKS_LIKE_ONE = re.compile(r"^\s*<!--\s*(from|in)\b")
FENCE = re.compile(r"^(\s*)(`{3,}|~{3,})")
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)"
                  r"|<(?:img|a)\b[^>]*?(?:src|href)=\"([^\"]+)\"")
DEFINITION = re.compile(r"^\s{0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)")


def dedent(lines):
    """The lines with their common indent and the blank lines around them taken away."""
    text = textwrap.dedent("\n".join(line.rstrip() for line in lines))
    return text.strip("\n").split("\n")


def blocks(text):
    """Yields (comment or None, number of its line or the fence's, lines of the block or None, where they are) of each
    fenced block, and of each comment that no block follows."""
    lines = text.splitlines()
    at = 0
    pending = None  # comment and number of the line before
    while at < len(lines):
        fence = FENCE.match(lines[at])
        if pending and not fence:
            yield *pending, None, None
        if fence:
            start = at + 1
            closing = re.compile(rf"^\s*{re.escape(fence[2][0])}{{{len(fence[2])},}}\s*$")
            at = next((i for i in range(start, len(lines)) if closing.match(lines[i])), len(lines))
            yield *(pending or (None, start)), dedent(lines[start:at]), slice(start, at)
            pending = None
        else:
            pending = (lines[at], at + 1) if LOOKS_LIKE_ONE.match(lines[at]) else None
        at += 1
    if pending:
        yield *pending, None, None


def part_of(lines, name):
    """The lines between [begin name] and [end name], or None where the file has no such pair."""
    begins = [i for i, line in enumerate(lines) if f"[begin {name}]" in line]
    ends = [i for i, line in enumerate(lines) if f"[end {name}]" in line]
    if len(begins) != 1 or len(ends) != 1 or ends[0] < begins[0]:
        return None
    return lines[begins[0] + 1:ends[0]]


def source_of(root, comment):
    """(kind, name, lines of the file or of its part), or what is wrong as a string."""
    found = COMMENT.match(comment)
    if not found:
        return f"this comment is not understood: {comment.strip()}"
    kind, name, part = found.groups()
    if not (root / name).is_file():
        return f"{name} does not exist"
    lines = (root / name).read_text(encoding="utf-8").splitlines()
    if part is not None:
        lines = part_of(lines, part)
        if lines is None:
            return f"{name} has no one pair of [begin {part}] and [end {part}]"
    return kind, name, lines


def check_quote(root, comment, quoted):
    """What is wrong with a quoted block, or None."""
    source = source_of(root, comment)
    if isinstance(source, str):
        return source
    kind, name, lines = source
    if quoted is None:
        return f"no fenced block follows the comment about {name}"
    if kind == "in":
        length = len(quoted)
        if any(dedent(lines[i:i + length]) == quoted for i in range(len(lines) - length + 1)):
            return None
        return f"these lines do not follow one another in {name}"
    wanted = dedent(lines)
    if wanted == quoted:
        return None
    differ = next((i for i, (a, b) in enumerate(zip(wanted, quoted)) if a != b), min(len(wanted), len(quoted)))
    theirs = wanted[differ] if differ < len(wanted) else "(the end)"
    return f"differs from {name} in line {differ + 1} of the block; the file has: {theirs.strip()}"


def written(root, text):
    """The text with its blocks marked "from" filled anew."""
    lines = text.splitlines()
    for comment, _, quoted, where in reversed(list(blocks(text))):
        source = source_of(root, comment) if comment and quoted is not None else None
        if isinstance(source, tuple) and source[0] == "from":
            lines[where] = dedent(source[2])
    return "\n".join(lines) + "\n"


def prose(text):
    """The lines outside fenced blocks, with their numbers."""
    fenced = set()
    for _, _, quoted, where in blocks(text):
        if quoted is not None:
            fenced.update(range(where.start, where.stop + 2))
    return [(number, line) for number, line in enumerate(text.splitlines(), 1) if number not in fenced]


def anchors(text):
    """The anchors that GitHub makes of a text's headings."""
    out = set()
    for _, line in prose(text):
        heading = re.match(r"^#{1,6}\s+(.*?)\s*#*\s*$", line)
        if heading:
            slug = re.sub(r"[^\w\- ]", "", heading[1].lower()).replace(" ", "-")
            name, n = slug, 0
            while name in out:
                n += 1
                name = f"{slug}-{n}"
            out.add(name)
    return out


def check_link(root, document, target):
    """What is wrong with a link, or None."""
    if re.match(r"^[a-z][a-z0-9+.-]*:", target, re.IGNORECASE):
        return None
    path, _, anchor = target.partition("#")
    file = (document.parent / path) if path else document
    if not file.exists() or root.resolve() not in [file.resolve(), *file.resolve().parents]:
        return f"the link to {target} points at nothing here"
    if anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
        return f"the link to {target} names no heading there"
    return None


def documents(root):
    return [d for d in (root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("**/*.md")),
                        *sorted(root.glob("benchmarks/*.md")), *sorted(root.glob("models/*/*.md")))
            if d.is_file()]


def check(root):
    """Returns (quotes, links, complaints) of a project."""
    quotes, links, complaints = 0, 0, []
    for document in documents(root):
        text = document.read_text(encoding="utf-8")
        where = document.relative_to(root)
        for comment, number, quoted, _ in blocks(text):
            if comment is not None:
                quotes += 1
                if wrong := check_quote(root, comment, quoted):
                    complaints.append(f"{where}:{number}: {wrong}")
        for number, line in prose(text):
            line = re.sub(r"(`+)(?:(?!\1).)+\1", "code", line)
            targets = [a or b for a, b in LINK.findall(line)] + DEFINITION.findall(line)
            for target in targets:
                links += 1
                if wrong := check_link(root, document, target):
                    complaints.append(f"{where}:{number}: {wrong}")
    return quotes, links, complaints


def self_test():
    code = "int a;\n\n// [begin two]\n    int b;\n      int c;\n// [end two]\nint d;\n"
    good = ("# A head, of `code`\n<!-- from x/a.cpp -->\n```cpp\n" + code + "```\n"
            "<!-- from x/a.cpp [two] -->\n~~~\nint b;\n  int c;\n~~~\n<!-- in x/a.cpp -->\n```\nint b;\n  int c;\n```\n"
            "[a](x/a.cpp) [b](#a-head-of-code) [c](https://nowhere) [d](docs/d.md#there) ![e](x/a.cpp \"title\")\n"
            "`[f](nothing)` [g]: x\n\n[h]: x/a.cpp\n```\n[i](nothing)\n```\n<img src=\"x/a.cpp\">\n")
    bad = {
        "differs from x/a.cpp in line 1": "<!-- from x/a.cpp -->\n```\nint x;\n```\n",
        "in line 2 of the block; the file has: int c;":
            "<!-- from x/a.cpp [two] -->\n```\nint b;\nint c;\n```\n",
        "the file has: (the end)": "<!-- from x/a.cpp [two] -->\n```\nint b;\n  int c;\nint d;\n```\n",
        "do not follow one another": "<!-- in x/a.cpp -->\n```\nint a;\nint b;\n```\n",
        "x/b.cpp does not exist": "<!-- from x/b.cpp -->\n```\n```\n",
        "no one pair of [begin three]": "<!-- from x/a.cpp [three] -->\n```\n```\n",
        "no fenced block follows": "<!-- from x/a.cpp -->\n\n```\nint a;\n```\n",
        "is not understood": "<!-- from x/a.cpp two -->\n```\n```\n",
        "the link to x/b.cpp": "[a](x/b.cpp)\n",
        "the link to ../a": "[a](../a)\n",
        "the link to x/c.png": "![a [b]](x/c.png)\n",
        "the link to y.md": "[a]: y.md\n",
        "the link to z": "<a href=\"z\">z</a>\n",
        "names no heading": "[a](docs/d.md#here)\n",
    }

    def complaints_of(readme):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder, "root")
            for name, text in {"x/a.cpp": code, "docs/d.md": "## There\n", "README.md": readme}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            pathlib.Path(folder, "a").write_text("", encoding="utf-8")
            return check(root)

    quotes, links, complaints = complaints_of(good)
    if (quotes, links, complaints) != (3, 7, []):
        sys.exit(f"quotes: a good text gave {quotes} quotes, {links} links, {complaints}")
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "a.cpp").write_text(code, encoding="utf-8")
        for old in ("", "old\nold\nold\n"):
            filled = written(pathlib.Path(folder), f"<!-- from a.cpp [two] -->\n```\n{old}```\nend\n")
            if filled != "<!-- from a.cpp [two] -->\n```\nint b;\n  int c;\n```\nend\n":
                sys.exit(f"quotes: --write made {filled!r}")
    for sentence, text in bad.items():
        complaints = complaints_of(text)[2]
        if len(complaints) != 1 or sentence not in complaints[0]:
            sys.exit(f"quotes: a text with '{sentence}' gave {complaints}")
    print(f"quotes: one good text passes, {len(bad)} bad ones are refused")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("root", nargs="?", type=pathlib.Path, default=here)
    parser.add_argument("--test", action="store_true", help="check the check itself")
    parser.add_argument("--write", action="store_true", help="fill the blocks marked from")
    options = parser.parse_args()
    if options.test:
        return self_test()
    if options.write:
        for document in documents(options.root.resolve()):
            text = document.read_text(encoding="utf-8")
            if (filled := written(options.root.resolve(), text)) != text:
                document.write_text(filled, encoding="utf-8")
    quotes, links, complaints = check(options.root.resolve())
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if complaints:
        sys.exit(f"quotes: {len(complaints)} complaints")
    print(f"quotes: {quotes} quoted blocks are those of their files, {links} links lead somewhere")


if __name__ == "__main__":
    main()
