#!/usr/bin/env python3
"""Checks that every header is timed, or is said not to be: include/ostend/FOLDER/HEADER.hpp has
benchmarks/FOLDER/HEADER_bench.cpp (.cu in cuda), or a line in benchmarks/timed_by.txt:

  FOLDER/HEADER  FOLDER/NAME_bench  another header's benchmark times it, and includes it
  FOLDER/HEADER  -  REASON          it computes nothing of note

  benchmarks.py [ROOT]    ROOT is the project's (default this one)
  benchmarks.py --test    checks the check on trees made for it
"""

import argparse
import pathlib
import re
import sys
import tempfile

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)


def source_of(root, name):
    """The benchmark FOLDER/NAME_bench, or None."""
    found = [path for path in (root / "benchmarks" / f"{name}{suffix}" for suffix in (".cpp", ".cu")) if path.is_file()]
    return found[0] if found else None


def included_by(root, source):
    """The headers FOLDER/HEADER of the library that a file includes, also by way of other files."""
    seen, left = set(), [source]
    while left:
        file = left.pop()
        for name in INCLUDE.findall(file.read_text(encoding="utf-8")):
            for path in (root / "include" / name, file.parent / name):
                if path.is_file() and path.resolve() not in seen:
                    seen.add(path.resolve())
                    left.append(path)
    tree = (root / "include/ostend").resolve()
    return {path.relative_to(tree).with_suffix("").as_posix() for path in seen if tree in path.parents}


def check(root):
    """Returns (number of headers, complaints)."""
    tree = root / "include/ostend"
    headers = {path.relative_to(tree).with_suffix("").as_posix() for path in tree.glob("*/*.hpp")}
    complaints, named = [], set()
    included = {}  # of each benchmark
    for number, line in enumerate((root / "benchmarks/timed_by.txt").read_text(encoding="utf-8").splitlines(), 1):
        header, by, reason = (line.split("#")[0].split(None, 2) + ["", "", ""])[:3]
        if not header:
            continue
        where = f"timed_by.txt:{number}: {header}"
        if not by or bool(reason) != (by == "-"):
            complaints.append(f"{where}: write a benchmark, or - and a reason")
        elif header not in headers:
            complaints.append(f"{where}: there is no such header")
        elif header in named:
            complaints.append(f"{where}: is named twice")
        elif source_of(root, f"{header}_bench"):
            complaints.append(f"{where}: has a benchmark of its own")
        elif by != "-":
            source = source_of(root, by)
            if source is None:
                complaints.append(f"{where}: there is no benchmark {by}")
            elif header not in included.setdefault(by, included_by(root, source)):
                complaints.append(f"{where}: {by} does not include it")
        named.add(header)
    for header in sorted(headers - named):
        if not source_of(root, f"{header}_bench"):
            complaints.append(f"{header}.hpp: has no benchmark, and no line in benchmarks/timed_by.txt")
    return len(headers), complaints


def self_test():
    files = {"include/ostend/a/one.hpp": "", "include/ostend/a/two.hpp": '#include "ostend/b/inside.hpp"\n',
             "include/ostend/b/inside.hpp": "", "include/ostend/b/kind.hpp": "", "include/ostend/ostend.hpp": "",
             "benchmarks/a/one_bench.cpp": "", "benchmarks/a/two_bench.cu": '#include "shared.hpp"\n',
             "benchmarks/a/shared.hpp": '#include "ostend/a/two.hpp"\n'}
    good = "# a comment\n\nb/inside  a/two_bench\nb/kind  -  a type\n"
    bad = {
        "b/kind.hpp: has no benchmark": "b/inside  a/two_bench\n",
        "a/three: there is no such header": good + "a/three  -  a type\n",
        "there is no benchmark a/three_bench": "b/inside  a/three_bench\nb/kind  -  a type\n",
        "a/one_bench does not include it": "b/inside  a/one_bench\nb/kind  -  a type\n",
        "a/one: has a benchmark of its own": good + "a/one  -  a type\n",
        "a/two: has a benchmark of its own": good + "a/two  a/one_bench\n",
        "b/kind: is named twice": good + "b/kind  -  a type\n",
        "b/kind: write a benchmark, or - and a reason": "b/inside  a/two_bench\nb/kind  -\n",
        "b/inside: write a benchmark, or - and a reason": "b/inside  a/two_bench  a type\nb/kind  -  a type\n",
    }

    def complaints_of(text):
        with tempfile.TemporaryDirectory() as folder:
            for name, content in {**files, "benchmarks/timed_by.txt": text}.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
            return check(pathlib.Path(folder))

    if complaints_of(good) != (4, []):
        sys.exit(f"benchmarks: a good tree gave {complaints_of(good)}")
    for sentence, text in bad.items():
        _, complaints = complaints_of(text)
        if len(complaints) != 1 or sentence not in complaints[0]:
            sys.exit(f"benchmarks: '{sentence}' was expected, {complaints} given")
    print(f"benchmarks: the check finds what it should in {len(bad) + 1} trees")


def main():
    here = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser()
    parser.add_argument("root", nargs="?", type=pathlib.Path, default=here)
    parser.add_argument("--test", action="store_true")
    arguments = parser.parse_args()
    if arguments.test:
        return self_test()
    headers, complaints = check(arguments.root)
    if complaints:
        sys.exit("\n".join(f"benchmarks: {line}" for line in complaints))
    print(f"benchmarks: {headers} headers are timed, or are said not to be")


if __name__ == "__main__":
    main()
