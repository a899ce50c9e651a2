#!/usr/bin/env python3
"""Checks that includes of the library go one way, and draws them.

The folders of include/ostend stand in the order of the flow; a header may include its own folder and those
before it (adapt and cuda may see everything). The same walk refuses what headers of this library do not use:
#if and its kin outside core/config.hpp, and <iostream>, <ranges>, <format>.

  include_direction.py [TREE]    TREE is the folder that holds the library's folders (default include/ostend)
  include_direction.py --test    checks the check on trees made for it
"""

import argparse
import pathlib
import re
import sys
import tempfile

ORDER = ("core tensor attention phrase geometry peak prompt mask metrics diffusion report host adapt cuda").split()
REFUSED = {"iostream", "ranges", "format"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
CONDITION = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b")


def check(tree):
    """Returns (arrows as {(from, to): count}, list of complaints) of one tree."""
    arrows, complaints = {}, []
    headers = sorted(p for p in tree.rglob("*") if p.suffix in (".hpp", ".cuh", ".h"))
    if not headers:
        return arrows, [f"{tree}: no headers"]
    for header in headers:
        name = header.relative_to(tree)
        folder = name.parts[0] if len(name.parts) > 1 else None
        if folder is not None and folder not in ORDER:
            complaints.append(f"{name}: the folder {folder} has no place in the order")
            continue
        for number, line in enumerate(header.read_text(encoding="utf-8").splitlines(), 1):
            if CONDITION.match(line) and name.as_posix() != "core/config.hpp":
                complaints.append(f"{name}:{number}: a preprocessor condition outside core/config.hpp")
            found = INCLUDE.match(line)
            if not found:
                continue
            included = found.group(1)
            if included in REFUSED:
                complaints.append(f"{name}:{number}: <{included}> is not for headers")
            if not included.startswith("ostend/"):
                if '"' in line:
                    complaints.append(f'{name}:{number}: write "ostend/..." for the library\'s own headers')
                continue
            parts = included.split("/")
            if len(parts) < 3:  # ostend/ostend.hpp, which is for users
                complaints.append(f"{name}:{number}: the library itself does not include {included}"
                                  ) if folder is not None else None
                continue
            if not (tree / "/".join(parts[1:])).is_file():
                complaints.append(f"{name}:{number}: {included} does not exist")
            if folder is None:
                continue  # ostend.hpp includes everything
            target = parts[1]
            arrows[folder, target] = arrows.get((folder, target), 0) + 1
            if target not in ORDER:
                complaints.append(f"{name}:{number}: the folder {target} has no place in the order")
            elif folder not in ("adapt", "cuda") and ORDER.index(target) > ORDER.index(folder):
                complaints.append(f"{name}:{number}: {folder} -> {target} points back (line: {line.strip()})")
    return arrows, complaints


def draw(arrows):
    for folder in ORDER:
        targets = [f"{t} ({arrows[folder, t]})" for t in ORDER if (folder, t) in arrows and t != folder]
        if targets:
            print(f"  {folder:>10} -> {', '.join(targets)}")


def self_test():
    good = {"core/config.hpp": "#if 1\n#endif\n", "tensor/view.hpp": '#include "ostend/core/config.hpp"\n',
            "adapt/all.hpp": '#include "ostend/host/h.hpp"\n', "host/h.hpp": '#include "ostend/tensor/view.hpp"\n',
            "ostend.hpp": '#include "ostend/host/h.hpp"\n'}
    bad = {
        "points back": {"core/low.hpp": '#include "ostend/tensor/view.hpp"\n'},
        "preprocessor condition": {"tensor/extra.hpp": "#ifdef SOMETHING\n#endif\n"},
        "is not for headers": {"tensor/extra.hpp": "#include <iostream>\n"},
        "does not exist": {"tensor/extra.hpp": '#include "ostend/core/gone.hpp"\n'},
        "has no place": {"attic/extra.hpp": "#pragma once\n"},
        "does not include": {"host/extra.hpp": '#include "ostend/ostend.hpp"\n'},
        "own headers": {"host/extra.hpp": '#include "h.hpp"\n'},
    }

    def complaints_of(files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return check(pathlib.Path(folder))[1]

    if complaints_of(good):
        sys.exit(f"include_direction: a good tree was refused: {complaints_of(good)}")
    for sentence, files in bad.items():
        found = complaints_of({**good, **files})
        if len(found) == 0 or not all(sentence in c for c in found if "does not exist" not in c or
                                      sentence == "does not exist"):
            sys.exit(f"include_direction: a tree with '{sentence}' gave {found}")
    if not complaints_of({}):
        sys.exit("include_direction: an empty tree was accepted")
    print(f"include_direction: one good tree passes, {len(bad) + 1} bad ones are refused")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("tree", nargs="?", type=pathlib.Path, default=here / "include/ostend")
    parser.add_argument("--test", action="store_true", help="check the check itself")
    options = parser.parse_args()
    if options.test:
        return self_test()
    arrows, complaints = check(options.tree)
    draw(arrows)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if complaints:
        sys.exit(f"include_direction: {len(complaints)} complaints")
    print("include_direction: every include goes the way of the flow")


if __name__ == "__main__":
    main()
