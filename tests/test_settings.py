"""Where a setting comes from, which place wins, and what is said of a bad one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from ragcli.errors import UsageError
from ragcli.settings import MEANINGS, NAMES, Resolved, Settings, find_index, resolve, user_file


class Places:
    """A project folder and a user's home, with files where a test puts them."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.index = self.project / ".rag"
        self.index.mkdir(parents=True)
        self.environment = {"XDG_CONFIG_HOME": str(folder / "home"), "APPDATA": str(folder / "home")}
        self.user = user_file(self.environment)
        self.user.parent.mkdir(parents=True)

    def write(self, name: str, text: str) -> Path:
        path = self.project / name
        path.write_text(text, "utf-8")
        return path

    def resolve(self, flags: dict[str, Any] | None = None, **environment: str) -> Resolved:
        return resolve(flags or {}, self.index, self.environment | environment)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


# -- precedence ----------------------------------------------------------------------------------------


def test_without_any_file_the_defaults_are_in_force(places: Places) -> None:
    found = places.resolve()
    assert found.settings == Settings()
    assert set(found.origins.values()) == {"default"}
    assert set(found.origins) == set(NAMES)


def test_each_place_wins_over_those_below_it(places: Places) -> None:
    def k_and_origin(flags: dict[str, Any] | None = None, **environment: str) -> tuple[int, str]:
        found = places.resolve(flags, **environment)
        return found.settings.k, found.origins["k"]

    assert k_and_origin() == (10, "default")
    places.user.write_text("k = 11", "utf-8")
    assert k_and_origin() == (11, str(places.user))
    project = places.write("pyproject.toml", "[tool.rag]\nk = 12")
    assert k_and_origin() == (12, str(project))
    own = places.write("rag.toml", "k = 13")
    assert k_and_origin() == (13, str(own))
    assert k_and_origin(RAG_K="14") == (14, "RAG_K")
    assert k_and_origin({"k": 15}, RAG_K="14") == (15, "flag")


def test_places_are_merged_key_by_key(places: Places) -> None:
    places.user.write_text('mode = "dense"\nk = 11', "utf-8")
    places.write("rag.toml", "k = 12\nbudget = 900")
    found = places.resolve({"overlap": 5}, RAG_BUDGET="800")
    assert (found.settings.mode, found.settings.k, found.settings.budget, found.settings.overlap) == (
        "dense",
        12,
        800,
        5,
    )
    assert found.origins["mode"] == str(places.user)
    assert found.origins["llm"] == "default"


def test_a_flag_not_given_and_an_empty_variable_say_nothing(places: Places) -> None:
    places.write("rag.toml", "k = 12")
    found = places.resolve({"k": None}, RAG_K="")
    assert found.settings.k == 12


def test_a_flag_may_set_what_is_falsy(places: Places) -> None:
    places.write("rag.toml", "offline = true\noverlap = 9\ndense-weight = 0.7")
    found = places.resolve({"offline": False, "overlap": 0, "dense_weight": 0.0}).settings
    assert (found.offline, found.overlap, found.dense_weight) == (False, 0, 0.0)


def test_rag_toml_puts_pyproject_out_of_force(places: Places) -> None:
    places.write("pyproject.toml", "[tool.rag]\nk = 12")
    places.write("rag.toml", "budget = 900")
    assert places.resolve().settings.k == 10


def test_a_pyproject_without_a_table_for_rag_says_nothing(places: Places) -> None:
    places.write("pyproject.toml", '[project]\nname = "x"\nunknown = 3')
    assert places.resolve().settings == Settings()


@pytest.mark.skipif(sys.platform == "win32", reason="users' settings lie elsewhere on Windows")
def test_the_users_file_follows_xdg(tmp_path: Path) -> None:
    assert user_file({"XDG_CONFIG_HOME": str(tmp_path)}) == tmp_path / "ragcli" / "rag.toml"
    assert user_file({}) == Path.home() / ".config" / "ragcli" / "rag.toml"


def test_every_setting_has_a_meaning_to_be_shown() -> None:
    assert list(MEANINGS) == list(NAMES)


# -- values --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["1", "true", "YES", " on "])
def test_what_means_true_in_the_environment(text: str, places: Places) -> None:
    assert places.resolve(RAG_OFFLINE=text).settings.offline is True


@pytest.mark.parametrize("text", ["0", "false", "No", "OFF"])
def test_what_means_false_in_the_environment(text: str, places: Places) -> None:
    places.write("rag.toml", "offline = true")
    assert places.resolve(RAG_OFFLINE=text).settings.offline is False


def test_keys_are_written_with_hyphens_or_underscores(places: Places) -> None:
    places.write("rag.toml", "chunk-size = 100\nmax_file_mb = 3")
    found = places.resolve().settings
    assert (found.chunk_size, found.max_file_mb) == (100, 3.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('k = "many"', "rag.toml: k: 'many' is not a whole number"),
        ("k = 2.5", "rag.toml: k: 2.5 is not a whole number"),
        ("k = true", "rag.toml: k: True is not a whole number"),
        ("k = [1]", r"rag.toml: k: \[1\] is not a whole number"),
        ("k = 0", "rag.toml: k: 0 is not between 1 and"),
        ('dense_weight = "much"', "rag.toml: dense_weight: 'much' is not a number"),
        ("dense-weight = 1.01", "rag.toml: dense_weight: 1.01 is not between 0 and 1"),
        ("dense-weight = nan", "rag.toml: dense_weight: nan is not between 0 and 1"),
        ("wait = inf", "rag.toml: wait: inf is not between"),
        ("wait = -1", "rag.toml: wait: -1 is not between"),
        (f"wait = 1{'0' * 400}", "rag.toml: wait: "),
        ("model = 3", "rag.toml: model: 3 is not a text"),
        ('offline = "perhaps"', "rag.toml: offline: 'perhaps' is not true or false"),
        ('mode = "both"', "rag.toml: mode: 'both' is none of hybrid, dense, lexical"),
        ('fusion = "sum"', "rag.toml: fusion: 'sum' is none of convex, rrf"),
        ('modell = "x"', "rag.toml: unknown setting 'modell'; did you mean model"),
        ("chunksize = 9", "rag.toml: unknown setting 'chunksize'; did you mean chunk_size"),
        ("zzz = 9", "rag.toml: unknown setting 'zzz'; `rag config` lists the settings"),
        ("k = ", "rag.toml: not a readable TOML file"),
        ("[tool.rag]\nk = 3", "rag.toml: unknown setting 'tool'"),
    ],
)
def test_what_is_said_of_a_bad_file(text: str, message: str, places: Places) -> None:
    places.write("rag.toml", text)
    with pytest.raises(UsageError, match=message):
        places.resolve()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("RAG_K", "ten", "^RAG_K: 'ten' is not a whole number"),
        ("RAG_K", "10001", "^RAG_K: 10001 is not between 1 and 10000"),
        ("RAG_MODE", "Dense", "^RAG_MODE: 'Dense' is none of"),
        ("RAG_OFFLINE", "2", "^RAG_OFFLINE: '2' is not true or false"),
    ],
)
def test_what_is_said_of_a_bad_variable(name: str, value: str, message: str, places: Places) -> None:
    with pytest.raises(UsageError, match=message):
        places.resolve(**{name: value})


def test_what_is_said_of_a_bad_flag(places: Places) -> None:
    with pytest.raises(UsageError, match=r"^-k: 0 is not between"):
        places.resolve({"k": 0})
    with pytest.raises(UsageError, match=r"^--min-score: 1.5 is not between"):
        places.resolve({"min_score": "1.5"})


def test_a_bad_value_is_told_even_where_a_stronger_one_is_in_force(places: Places) -> None:
    places.write("rag.toml", 'mode = "both"')
    with pytest.raises(UsageError, match=r"rag\.toml"):
        places.resolve({"mode": "dense"})


@pytest.mark.parametrize("text", ["tool = 3", "[tool]\nrag = 3", "[[tool.rag]]\nk = 3"])
def test_a_table_that_is_none_is_told(text: str, places: Places) -> None:
    places.write("pyproject.toml", text)
    with pytest.raises(UsageError, match=r"pyproject\.toml"):
        places.resolve()


def test_a_file_that_is_not_utf8_is_told(places: Places) -> None:
    places.user.write_bytes(b'model = "\xff"')
    with pytest.raises(UsageError, match="not a readable TOML file"):
        places.resolve()


# -- where the index lies ----------------------------------------------------------------------------------


def test_the_nearest_index_upwards_is_found(places: Places) -> None:
    deep = places.project / "a" / "b"
    deep.mkdir(parents=True)
    assert find_index(deep, None) == (places.index.resolve(), True)
    (places.project / "a" / ".rag").mkdir()
    assert find_index(deep, None) == ((places.project / "a" / ".rag").resolve(), True)


def test_a_file_of_that_name_is_no_index(places: Places) -> None:
    deep = places.project / "a"
    deep.mkdir()
    (deep / ".rag").write_text("", "utf-8")
    assert find_index(deep, None) == (places.index.resolve(), True)


def test_where_there_is_none_it_would_be_made_here(tmp_path: Path) -> None:
    assert find_index(tmp_path, None) == (tmp_path.resolve() / ".rag", False)


def test_a_given_folder_is_taken_whether_it_exists_or_not(places: Places) -> None:
    assert find_index(places.project, str(places.project / "other")) == (
        places.project.resolve() / "other",
        False,
    )
    assert find_index(places.project, str(places.index)) == (places.index.resolve(), True)
