"""Prints the licences of everything that is compiled into the program, for those who pass it on.

    notices.py MANIFEST

What is compiled in is what cargo resolves for this machine without development and build dependencies. Files are taken
from each crate as it was fetched, those of the C libraries in it too; equal texts are printed once.
"""

import json
import pathlib
import re
import subprocess
import sys

NAMES = re.compile(r"(licen[cs]es?|copying|notice|unlicense)([.-].*)?", re.IGNORECASE)
# Folders of C sources and what else a crate brings along; deeper ones are of their tests and tools.
DEPTH_MAX = 5
SEPARATOR = "=" * 78


def metadata(manifest):
    host = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    host = re.search(r"^host: (.*)$", host, re.MULTILINE).group(1)
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", host]
    answer = subprocess.run([*command, "--manifest-path", manifest], capture_output=True, text=True)
    if answer.returncode != 0:
        sys.exit(f"notices.py: cargo metadata failed: {answer.stderr.strip()}")
    return json.loads(answer.stdout)


def compiled_in(found):
    """The packages that the program is made of, itself left out."""
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    packages = {package["id"]: package for package in found["packages"]}
    root = found["resolve"]["root"]
    reached, waiting = {root}, [root]
    while waiting:
        for dependency in nodes[waiting.pop()]["deps"]:
            package = packages[dependency["pkg"]]
            normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            macro = any("proc-macro" in target["kind"] for target in package["targets"])
            if normal and not macro and dependency["pkg"] not in reached:
                reached.add(dependency["pkg"])
                waiting.append(dependency["pkg"])
    chosen = [packages[name] for name in reached - {root}]
    return sorted(chosen, key=lambda package: (package["name"], package["version"]))


def licence_files(folder):
    files = [file for file in folder.rglob("*") if file.is_file() and NAMES.fullmatch(file.name)]
    near = [file for file in files if len(file.relative_to(folder).parts) <= DEPTH_MAX]
    return sorted(file for file in near if file.suffix not in {".rs", ".py", ".html"})


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    packages = compiled_in(metadata(sys.argv[1]))
    texts, without = {}, []
    print("tandem is made with these, under the licences that follow:\n")
    for package in packages:
        title = f"{package['name']} {package['version']}"
        licence = package["license"] or package["license_file"]
        if not licence:
            sys.exit(f"notices.py: {title} names no licence")
        print(f"    {title}: {licence}")
        folder = pathlib.Path(package["manifest_path"]).parent
        files = licence_files(folder)
        if not files:
            without.append(f"{title} ({licence}), by {', '.join(package['authors']) or 'its authors'}")
        for file in files:
            text = file.read_text(encoding="utf-8", errors="replace").strip()
            texts.setdefault(text, []).append(f"{title}: {file.relative_to(folder)}")
    if without:
        print("\nThese come without a file of their licence, and are under the text of that name below:\n")
        print("\n".join(f"    {line}" for line in without))
    for text, of in texts.items():
        print(f"\n{SEPARATOR}\n" + "\n".join(of) + f"\n{SEPARATOR}\n\n{text}")


if __name__ == "__main__":
    main()
