"""What Django loads from the folder of an installed app, and migrations that are found by their folder."""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from orphans.discovery.survey import Survey
from orphans.domain.findings import Evidence
from orphans.domain.late import late
from orphans.domain.names import INIT, base_of, folder_of
from orphans.domain.rules import DJANGO_APP, MIGRATIONS, PACKAGING, Children

Found = Iterator[tuple[str, Evidence]]
_SETTINGS = late(rb"""SETTINGS_MODULE["']\]?\s*[,=]\s*["']([A-Za-z_]\w*)["']""")
_PREFIX = late(
    rb"""["']([A-Za-z_][\w.]*)\.(?:%s["']\s*%|\{\w*\}["']|["']\s*\+)""" rb"""|f["']([A-Za-z_][\w.]*)\.\{"""
)
_MIGRATION = late(rb"class Migration|def upgrade|def forwards|def migrate|def up\b|operations|step\(|def run")


class Apps:
    """The installed apps of a checkout, as they become known."""

    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        self.folders: set[str] = set()
        #: modules that every app is searched for, by `autodiscover_modules`
        self.discovered: set[str] = set()
        self.is_django = any(
            name.partition(".")[0] == "django" for each in survey.facts.values() for name in each.imports
        )

    @cached_property
    def is_library(self) -> bool:
        """Tell whether the checkout is a packaged library of apps, and no project that installs them."""
        survey = self.survey
        packaged = any(each in survey.tree.texts or each in survey.names.paths for each in PACKAGING)
        projects = (each for each in survey.names.paths if base_of(each) == "manage.py")
        return packaged and all(survey.is_template(each) or "/" in each for each in projects)

    def named(self, path: str) -> Found:
        """Yield what the apps that a file installs bring along."""
        names = sorted(self.survey.quoted_words(path).union(self.survey.facts[path].strings))
        new = {each for each in names if self._folder(each, path) not in (None, *self.folders)}
        if self.survey.is_test_file(path):
            for text in sorted(new):
                yield from self.install(
                    self._folder(text, path) or "", f"'{text}' is named in {path}", path, 1
                )
            return
        for text in sorted(new):
            folder = self._folder(text, path)
            for each in self.survey.said(path, text) or ():
                if folder is not None and any("APPS" in word for word in each.context):
                    yield from self.install(folder, f"'{text}' is installed in {path}", path, each.line)
        yield from self._prefixed(path, self.survey.quoted_words(path))

    def _prefixed(self, path: str, words: Iterable[str]) -> Found:
        """Yield the apps that settings put together: `"ext.%s" % name` for names of a table."""
        for match in _PREFIX.finditer(self.survey.data(path)):
            start = (match[1] or match[2]).decode()
            yield from self._put_together(path, start, filter(str.isidentifier, words))

    def _put_together(self, path: str, start: str, words: Iterable[str]) -> Found:
        for word in sorted(words):
            folder = self._folder(f"{start}.{word}", path)
            if folder is not None and folder not in self.folders:
                yield from self.install(folder, f"'{start}.*' is put together in {path}", path, 1)

    def _folder(self, text: str, near: str) -> str | None:
        names = self.survey.names
        if not re.fullmatch(r"[A-Za-z_][\w.]*", text):
            return None
        found = names.find(text, near) or (names.find_attribute(text, near) if "." in text else None)
        if found is not None:
            return folder_of(found)
        return names.folder(text.replace(".", "/"))

    def settings(self, path: str) -> Found:
        """Yield the module that a file names without a dot as Django's settings."""
        for match in _SETTINGS.finditer(self.survey.data(path)):
            text = match[1].decode()
            beside = "/".join(filter(None, [folder_of(path), text]))
            found = self.survey.names.at(beside) or self.survey.names.find(text, path)
            if found is not None and found != path:
                why = f"'{text}' are the settings of {path}"
                yield found, Evidence(kind="setting", detail=why, path=path)

    def configured(self, path: str) -> Found:
        """Yield what a live `apps.py` makes an app: its folder."""
        if base_of(path) == "apps.py" and b"AppConfig" in self.survey.data(path):
            yield from self.install(folder_of(path), f"{path} configures the app", path, 1)

    def assumed(self) -> Found:
        """Yield all that looks like an app: of a library of apps, whose users install them."""
        for folder in sorted(self.survey.names.packages):
            if not self.survey.in_tests(folder) and self._looks_like_app(folder):
                yield from self.install(folder, "an app that users install", f"{folder}/{INIT}", 1)

    def of_tests(self) -> Found:
        """Yield what the apps in the folders of tests bring along, by whatever name they are installed."""
        names = self.survey.names
        for folder in sorted(names.packages):
            parts = (f"{folder}/{each}.py" for each in ("apps", "models", "admin"))
            if self.survey.in_tests(folder) and any(each in names.paths for each in parts):
                yield from self.install(folder, "an app of the tests", f"{folder}/{INIT}", 1)

    def _looks_like_app(self, folder: str) -> bool:
        names = self.survey.names
        apps = f"{folder}/apps.py"
        if apps in names.paths and b"AppConfig" in self.survey.data(apps):
            return True
        has_models = f"{folder}/models.py" in names.paths or f"{folder}/models/{INIT}" in names.paths
        other = ("migrations", "templatetags", "management")
        return (has_models or f"{folder}/templatetags" in names.packages) and any(
            f"{folder}/{each}" in names.packages for each in other
        )

    def install(self, folder: str, why: str, path: str, line: int) -> Found:
        """Yield the modules that an app's folder brings along, once."""
        if folder in self.folders:
            return
        self.folders.add(folder)
        start = f"{folder}/" if folder else ""
        for each in self.survey.names.below(folder, deep=True):
            rule = _rule_of(each[len(start) :])
            if rule is not None and (not rule.words or self._has(each, rule.words)):
                yield each, Evidence(kind="convention", detail=f"{rule.reason}: {why}", path=path, line=line)
        for name in sorted(self.discovered):
            yield from self._child(folder, name, path, line)

    def discover(self, name: str, path: str, line: int) -> Found:
        """Yield the module of this name in every app: something calls `autodiscover_modules` with it."""
        self.discovered.add(name)
        for folder in sorted(self.folders):
            yield from self._child(folder, name, path, line)

    def offered(self, path: str) -> Found:
        """Yield what a base of apps looks for in each: attributes such as `menu = "navigation.items"`."""
        for text in self.survey.facts[path].strings:
            name, _, attribute = text.partition(".")
            known = self.survey.names.find_attribute(text)
            if name.isidentifier() and attribute.isidentifier() and known is None:
                yield from self.discover(name, path, 1)

    def _child(self, folder: str, name: str, path: str, line: int) -> Found:
        found = self.survey.names.at("/".join(filter(None, [folder, *name.split(".")])))
        if found is not None:
            yield (
                found,
                Evidence(
                    kind="convention", detail=f"{path} searches every app for '{name}'", path=path, line=line
                ),
            )

    def _has(self, path: str, words: Iterable[str]) -> bool:
        data = self.survey.data(path)
        return any(word.encode() in data for word in words)


def _rule_of(place: str) -> Children | None:
    """Return what brings along a module at this place below an app's folder."""
    fits = (each for each in DJANGO_APP if each.sign in place and each.pattern.fullmatch(place))
    return next(fits, None)


def migrations(survey: Survey, seen: set[str], unseen: Iterable[str]) -> Found:
    """Yield the migrations of packages that are live: their runner finds them by folder."""
    for path in sorted(unseen):
        if MIGRATIONS.match(path) is None:
            continue
        owner = folder_of(path)
        while owner and not base_of(owner).endswith("migrations"):
            owner = folder_of(owner)
        around = folder_of(owner)
        is_live = f"{around}/{INIT}" in seen or f"{owner}/{INIT}" in seen or not around
        if is_live and (base_of(path) == INIT or _MIGRATION.search(survey.data(path))):
            yield path, Evidence(kind="convention", detail="a migration of a live package", path=path)
