"""Checks what examples/senders and docs/senders say against the source.

  examples_test.py SOURCE_DIR

 - Every YAML example can be parsed. (Whether its program takes it: tests/e2e/examples_test.py.)
 - Every folder of examples has its page, which links all of its files; every page is linked from
   docs/senders/README.md, and every link of the pages leads somewhere.
 - Every port is one of ours (gateway/config.h, or a door that an example opens), or one of THEIRS.
 - Every path of a URL on one of our ports, and every path that a page names with its method, is a
   route of gateway/routes.cc.
 - Every key in an example's throughline.yaml, and every key that a page names, is one of
   gateway/config.cc or a list of gateway/config_yaml.cc; a page may also name attributes of logs/*.cc.
"""

import pathlib
import re
import sys

import yaml

# Ports that belong to somebody else on the same host, and to whom.
THEIRS = {
    "8000": "an application and its /metrics page",
    "9411": "Zipkin's server, as the port to leave",
    "10000": "Envoy's listener",
    "14317": "the OTLP/gRPC receiver of a Collector or an Alloy beside Throughline",
    "14318": "its OTLP/HTTP receiver",
}

# Components of Alloy whose names begin as sections of ours do.
COMPONENTS = {"loki.write", "prometheus.remote_write", "prometheus.scrape"}

PORT = re.compile(r"(?:127\.0\.0\.1|localhost|…):(\d+)|\bport\w*[\"'=(: ]+(\d{4,5})\b", re.IGNORECASE)
URL = re.compile(r"http://127\.0\.0\.1:(?:\d+)(/[^\s\"'`)>?]*)")
PATH = re.compile(r"(?:\b(?:GET|POST|PUT) |^ *(?:uri|path|collector_endpoint): )(/[\w./_{}-]+)", re.MULTILINE)
KEY = re.compile(r"`(\w+\.\w+)(?:: [^`]*)?`")
LINK = re.compile(r"\]\(([^)#]*)(?:#[^)]*)?\)")


class Checker:
    def __init__(self, source):
        self.source = source
        self.errors = []
        self.pages = sorted((source / "docs/senders").glob("*.md"))
        self.examples = sorted(path for path in (source / "examples/senders").glob("*/*") if path.is_file())
        gateway = source / "gateway"
        self.ports = set(re.findall(r'"127\.0\.0\.1:(\d+)"', (gateway / "config.h").read_text()))
        self.routes = [re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route)) + "$")
                       for route in re.findall(r'"(/[^"]*)"', (gateway / "routes.cc").read_text())]
        self.keys = set(re.findall(r'"(\w+(?:\.\w+)?)"', (gateway / "config.cc").read_text()))
        self.lists = set(re.findall(r'key == "(\w+)"', (gateway / "config_yaml.cc").read_text()))
        self.attributes = {name for path in (source / "logs").glob("*.cc")
                           for name in re.findall(r'"(\w+\.\w+)"', path.read_text())}
        self.sections = {key.split(".")[0] for key in self.keys if "." in key}

    def wrong(self, path, why):
        self.errors.append(f"{path.relative_to(self.source)}: {why}")

    def check_example(self, path):
        if path.suffix in (".yaml", ".yml"):
            try:
                settings = yaml.safe_load(path.read_text())
            except yaml.YAMLError as error:
                return self.wrong(path, error)
            if path.name == "throughline.yaml":
                self.check_settings(path, settings)
        page = self.source / "docs/senders" / f"{path.parent.name}.md"
        if not page.exists():
            self.wrong(path, f"has no page {page.name}")
        elif f"examples/senders/{path.parent.name}/{path.name}" not in page.read_text():
            self.wrong(page, f"does not link {path.name}")

    def check_settings(self, path, settings):
        """Our own configuration: its keys are known, and its doors are ports of ours from here on."""
        for section, values in settings.items():
            if section in self.lists:
                continue
            for key, value in values.items() if isinstance(values, dict) else [(None, values)]:
                name = f"{section}.{key}" if key else section
                if name not in self.keys:
                    self.wrong(path, f"{name} is no key of gateway/config.cc")
                if name.endswith("listen"):
                    self.ports.add(str(value).rsplit(":", 1)[1])

    def check_links(self, page):
        for target in LINK.findall(page.read_text()):
            if target and "://" not in target and not (page.parent / target).exists():
                self.wrong(page, f"links {target}, which is not there")

    def check_text(self, path):
        text = path.read_text()
        for match in PORT.finditer(text):
            port = match[1] or match[2]
            if port not in self.ports and port not in THEIRS:
                self.wrong(path, f"names port {port}, which is none of ours nor of THEIRS")
        ours = [match[1] for match in URL.finditer(text)
                if match[0].split("/")[2].split(":")[1] in self.ports]
        for route in [url.rstrip(".,;") for url in ours] + PATH.findall(text):
            if route.startswith(("/var/", "/etc/")):
                continue
            if not any(pattern.match(route) for pattern in self.routes):
                self.wrong(path, f"names {route}, which is no route")

    def check_keys(self, page):
        for key in KEY.findall(page.read_text()):
            if key.split(".")[0] in self.sections and key not in self.keys | self.attributes | COMPONENTS:
                self.wrong(page, f"names {key}, which is no key of gateway/config.cc")

    def run(self):
        index = (self.source / "docs/senders/README.md").read_text()
        for path in self.examples:
            self.check_example(path)
        for path in self.examples + self.pages:
            self.check_text(path)
        for page in self.pages:
            self.check_links(page)
            self.check_keys(page)
            if page.name != "README.md" and f"({page.name})" not in index:
                self.wrong(page, "is not linked from README.md")
        return self.errors


def main():
    checker = Checker(pathlib.Path(sys.argv[1]).resolve())
    errors = checker.run()
    for error in errors:
        print(error)
    print(f"{len(checker.examples)} examples, {len(checker.pages)} pages, {len(errors)} errors")
    sys.exit(1 if errors or not checker.examples or not checker.pages else 0)


if __name__ == "__main__":
    main()
