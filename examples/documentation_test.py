"""Checks the documentation against the tree: documentation_test.py TREE.

A code block after a line `<!-- quoted from FILE -->` must stand in FILE, line by line (how far it
is indented does not matter). A relative link must lead to a file, and its anchor to a heading.
"""

import os
import re
import sys

QUOTE = re.compile(r"<!-- quoted from (\S+) -->\n+```\w*\n(.*?)\n```", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?)\s*$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)

# Below these numbers the check itself is broken.
AT_LEAST = {"pages": 8, "quotes": 3, "links": 40}


def stripped(text):
    return [line.strip() for line in text.split("\n")]


def is_quoted_from(quote, source):
    quote, source = stripped(quote), stripped(source)
    return any(source[i:i + len(quote)] == quote for i in range(len(source)))


def anchors(text):
    """The anchors that the usual renderers make of the headings."""
    words = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(text)]
    return {heading.replace(" ", "-") for heading in words}


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def pages(tree):
    found = [name for name in os.listdir(tree) if name.endswith(".md")]
    for folder, _, names in os.walk(os.path.join(tree, "docs")):
        found += [os.path.relpath(os.path.join(folder, name), tree)
                  for name in names if name.endswith(".md")]
    return sorted(found)


def check_link(tree, page, link):
    path, _, anchor = link.partition("#")
    target = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
    if not os.path.exists(os.path.join(tree, target)):
        return f"{page}: {link} leads nowhere"
    if anchor and target.endswith(".md") and anchor not in anchors(read(tree, target)):
        return f"{page}: {link}: no such heading"
    return None


def main(tree):
    problems, counts = [], dict.fromkeys(AT_LEAST, 0)
    for page in pages(tree):
        counts["pages"] += 1
        text = read(tree, page)
        for source, quote in QUOTE.findall(text):
            counts["quotes"] += 1
            if not is_quoted_from(quote, read(tree, source)):
                problems.append(f"{page}: the quotation does not stand in {source}:\n{quote}")
        for link in LINK.findall(CODE.sub("", text)):
            if "://" in link:
                continue
            counts["links"] += 1
            problem = check_link(tree, page, link)
            problems += [problem] if problem else []
    problems += [f"looked at {counts[what]} {what}, fewer than {least}"
                 for what, least in AT_LEAST.items() if counts[what] < least]
    print("\n".join(problems))
    print(f"documentation: {len(problems)} problems; looked at {counts}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
