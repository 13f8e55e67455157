"""``rag eval`` on the questions that come with the samples."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from selectolax.lexbor import LexborHTMLParser

from ..program import Ran, Run
from .shapes import MODE, misfit

FILES = ("--queries", "sample_docs/eval/queries.jsonl", "--qrels", "sample_docs/eval/qrels.tsv")


@pytest.fixture(scope="module")
def evaluated(run: Run, samples: Path) -> Ran:
    """The index lies in the parent of sample_docs; the judged ids are relative to sample_docs."""
    return run("eval", *FILES, "--modes", "lexical,hybrid", "--format", "json", cwd=samples)


def test_every_judged_document_is_found(evaluated: Ran) -> None:
    assert "not in the index" not in evaluated.err


def test_hybrid_is_good_enough(evaluated: Ran) -> None:
    modes = evaluated.json["modes"]
    assert modes["hybrid"]["ndcg@10"] > 0.70
    assert modes["hybrid"]["ndcg@10"] >= modes["lexical"]["ndcg@10"]


def test_fields(evaluated: Ran) -> None:
    told = evaluated.json
    assert told["queries"] == 50  # ten of the sixty have no answer
    assert told["failed"] == []
    assert list(told["modes"]) == ["lexical", "hybrid"]
    assert not [said for mode in told["modes"].values() if (said := misfit(mode, MODE))]
    for mode in told["modes"].values():
        assert all(0 <= mode[metric] <= 1 for metric in ("ndcg@10", "recall@10", "recall@100", "mrr@10"))
        assert mode["recall@10"] <= mode["recall@100"]


def test_table(run: Run, samples: Path) -> None:
    ran = run("eval", *FILES, "--modes", "lexical", cwd=samples)
    assert ran.out.split()[:5] == ["mode", "ndcg@10", "recall@10", "recall@100", "mrr@10"]
    assert "50 judged questions" in ran.err


def test_judged_documents_that_are_not_there(run: Run, fresh: Path) -> None:
    (fresh / "q.jsonl").write_text('{"_id": "1", "text": "bees in winter"}\n{"_id": "2", "text": "swift"}\n')
    (fresh / "q.tsv").write_text("query-id\tcorpus-id\tscore\n1\tbees\t1\n1\tnowhere.md\t1\n2\tb1\t1\n")
    ran = run(
        "eval",
        "--queries",
        "q.jsonl",
        "--qrels",
        "q.tsv",
        "--modes",
        "lexical",
        "--format",
        "json",
        cwd=fresh,
    )
    assert "1 judged documents are not in the index (nowhere.md" in ran.err
    assert ran.json["modes"]["lexical"]["recall@10"] == 0.75
    assert ran.json["modes"]["lexical"]["mrr@10"] == 1.0


def test_questions_and_judgements_of_different_sets(run: Run, fresh: Path) -> None:
    (fresh / "q.jsonl").write_text('{"_id": "1", "text": "bees"}\n')
    (fresh / "q.tsv").write_text("other\tbees\t1\n")
    message = run.fails(
        2, "eval", "--queries", "q.jsonl", "--qrels", "q.tsv", "--modes", "lexical", cwd=fresh
    )
    assert "none of the questions has a judgement" in message


# -- references ------------------------------------------------------------------------------------------


@pytest.fixture
def spanned(fresh: Path) -> Path:
    """Two questions with references in a text whose source has front matter, so that all offsets moved."""
    source = "---\ntitle: Hives\n---\nThe queen lays eggs.\r\n\nDrones leave in autumn. Workers stay.\r\n"
    (fresh / "hives.md").write_bytes(source.encode())
    (fresh / "q.jsonl").write_text(
        '{"_id": "1", "text": "queen lays eggs"}\n{"_id": "2", "text": "drones autumn"}\n'
    )
    quotes = {"1": "The queen lays eggs.", "2": "Drones leave in autumn."}
    spans = [
        {"query-id": query, "doc": "hives.md", "start": source.index(quote), "text": quote,
         "end": source.index(quote) + len(quote)}
        for query, quote in quotes.items()
    ]  # fmt: skip
    (fresh / "s.jsonl").write_text("".join(json.dumps(span) + "\n" for span in spans))
    return fresh


SPANNED = ("--queries", "q.jsonl", "--spans", "s.jsonl", "--modes", "lexical")


def test_characters_are_measured_where_the_text_moved(run: Run, spanned: Path) -> None:
    run("index", "hives.md", cwd=spanned)
    ran = run("eval", *SPANNED, "--format", "json", "--rows", "rows.jsonl", cwd=spanned)
    found = ran.json["modes"]["lexical"]
    assert list(found)[:3] == ["span_recall@5", "span_precision@5", "span_iou@5"]
    assert found["span_recall@5"] == 1.0
    assert 0.0 < found["span_iou@5"] <= found["span_precision@5"] < 1.0
    assert ran.json["lost_references"] == []
    row = json.loads((spanned / "rows.jsonl").read_text().splitlines()[0])
    [reference] = row["references"]
    shown = run("search", "queen lays eggs", "--mode", "lexical", "-k", "1", "--format", "json", cwd=spanned)
    [hit] = shown.json["hits"]
    begin = reference["span"][0] - hit["span"][0]
    assert hit["text"][begin : begin + 20] == "The queen lays eggs."
    assert "baseline" in run("eval", *SPANNED, "--baseline", "rows.jsonl", cwd=spanned).out


def test_references_serve_gates_and_reports_as_other_judgements_do(run: Run, spanned: Path) -> None:
    run("index", "hives.md", cwd=spanned)
    gates = ("--gate", "span_recall@1=0.9", "--gate", "span_iou@1=0.99")
    words = ("--metrics", "span_iou@1", *gates, "--report", "page.html")
    ran = run("eval", *SPANNED, *words, cwd=spanned, exit=9)
    assert "span_iou@1" in ran.err.splitlines()[-1]
    page = (spanned / "page.html").read_text("utf-8")
    assert "Recall of characters against depth" in page
    assert "wanted hives.md" in page
    worst = run("eval", *SPANNED, "--metrics", "span_iou@1,mrr@10", "--worst", "1", cwd=spanned).out
    assert "found at 1" in worst
    assert "+ 1 hives.md" in worst


def test_references_that_are_not_in_the_text_are_told_and_left_out(run: Run, spanned: Path) -> None:
    run("index", "hives.md", cwd=spanned)
    with (spanned / "s.jsonl").open("a") as file:
        file.write('{"query-id": "1", "doc": "hives.md", "start": 5, "end": 9, "text": "wasp\\u001b[31m"}\n')
        file.write('{"query-id": "2", "doc": "nowhere.md", "start": 0, "end": 23, "text": "Drones"}\n')
    ran = run("eval", *SPANNED, "--format", "json", cwd=spanned)
    assert "1 references are not in the text of their documents and were left out (1: hives.md 5-9" in ran.err
    assert "1 judged documents are not in the index (nowhere.md" in ran.err
    assert ran.json["lost_references"] == ["1: hives.md 5-9"]
    assert ran.json["modes"]["lexical"]["span_recall@5"] == 0.75, "half of what the second wants is missed"
    (spanned / "s.jsonl").write_text('{"query-id": "1", "doc": "hives", "start": 900, "end": 909}\n')
    assert "no reference is where it should be" in run.fails(2, "eval", *SPANNED, cwd=spanned)


def test_documents_and_characters_are_judged_together(run: Run, spanned: Path) -> None:
    run("index", "hives.md", cwd=spanned)
    (spanned / "q.tsv").write_text("1\thives\t1\n")
    told = run("eval", *SPANNED, "--qrels", "q.tsv", "--format", "json", cwd=spanned).json
    assert told["queries"] == 2
    assert told["modes"]["lexical"]["ndcg@10"] == told["modes"]["lexical"]["span_recall@5"] == 1.0


def test_metrics_need_their_judgements(run: Run, spanned: Path) -> None:
    asked = ("eval", "--queries", "q.jsonl", "--modes", "lexical")
    assert "--spans" in run.fails(2, *asked, cwd=spanned)
    (spanned / "q.tsv").write_text("1\tbees\t1\n")
    judged = (*asked, "--qrels", "q.tsv")
    assert "--spans" in run.fails(2, *judged, "--metrics", "span_iou@5", cwd=spanned)
    assert "--spans" in run.fails(2, *judged, "--gate", "span_iou@5=0.1", cwd=spanned)


# -- gates, reports, comparisons -------------------------------------------------------------------------


@pytest.fixture
def judged(fresh: Path) -> Path:
    """Two questions, of which words find one; the other's text would steer a terminal or a page."""
    odd = "bees <b>&amp;</b> \x1b[31m in ]]> winter ::error::\n%0A"
    lines = [json.dumps({"_id": "1", "text": "bees in winter"}), json.dumps({"_id": "<2>", "text": odd})]
    (fresh / "q.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    (fresh / "q.tsv").write_text("1\tbees\t1\n<2>\tb1\t1\n", "utf-8")
    return fresh


ASKED = ("eval", "--queries", "q.jsonl", "--qrels", "q.tsv", "--modes", "lexical")


def test_a_gate_that_is_missed_is_told_by_the_exit_code(run: Run, judged: Path) -> None:
    assert run(*ASKED, "--gate", "mrr@10=0.4", cwd=judged).out
    ran = run(*ASKED, "--gate", "mrr@10=0.4", "--gate", "ndcg@10=1", "--format", "json", cwd=judged, exit=9)
    assert [gate["passed"] for gate in ran.json["gates"]] == [True, False]
    assert "ndcg@10" in ran.err
    assert "rag eval" not in run.fails(2, *ASKED, "--gate", "speed@1=1", cwd=judged)


def test_test_runners_read_the_result(run: Run, judged: Path) -> None:
    ran = run(*ASKED, "--gate", "ndcg@10=1", "--format", "junit", cwd=judged, exit=9)
    [suite] = ElementTree.fromstring(ran.out)
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("rag eval lexical", "2", "1")
    assert [case.get("name") for case in suite.iter("testcase")] == [
        "ndcg@10 >= 1", "every question is answered",
    ]  # fmt: skip


def test_github_shows_a_missed_gate_as_an_error(run: Run, judged: Path) -> None:
    ran = run(*ASKED, "--gate", "ndcg@10=1", "--gate", "mrr@10=0", "--format", "github", cwd=judged, exit=9)
    kinds = [line.split(" ")[0] for line in ran.out.splitlines()]
    assert kinds == ["::error", "::notice", "::notice"]


def test_a_page_stands_alone_and_holds_what_is_asked_as_text(run: Run, judged: Path) -> None:
    run(*ASKED, "--report", "page.html", cwd=judged)
    page = (judged / "page.html").read_text("utf-8")
    tree = LexborHTMLParser(page)
    assert not tree.css("script, link, img, iframe, b, [src], [href], [onload]")
    assert tree.css("svg rect")
    assert "bees <b>&amp;</b> in ]]> winter" in tree.css_first("body").text()
    assert "\x1b" not in page
    assert "--force" in run.fails(2, *ASKED, "--report", "page.html", cwd=judged)
    run(*ASKED, "--report", "page.html", "--force", cwd=judged)


def test_a_later_run_is_compared_with_the_rows_of_an_earlier_one(run: Run, judged: Path) -> None:
    run(*ASKED, "--rows", "rows.jsonl", cwd=judged)
    rows = [json.loads(line) for line in (judged / "rows.jsonl").read_text("utf-8").splitlines()]
    assert [row["query_id"] for row in rows] == ["1", "<2>"]
    assert rows[0]["found"][0] == "bees"
    told = run(*ASKED, "--baseline", "rows.jsonl", "--format", "json", cwd=judged).json
    assert {c["difference"] for c in told["comparisons"]} == {0.0}
    assert {c["against"] for c in told["comparisons"]} == {"baseline"}
    assert all(c["wins"] == c["losses"] == 0 for c in told["comparisons"])
    run(*ASKED, "--baseline", "rows.jsonl", "--rows", "rows.jsonl", "--force", cwd=judged)
    assert "no row" in run.fails(2, *ASKED, "--baseline", "q.jsonl", cwd=judged)
    (judged / "huge.jsonl").write_text(
        '{"mode": "lexical", "query_id": "1", "metrics": {"ndcg@10": 1' + "0" * 400 + "}}\n", "utf-8"
    )
    assert "no row" in run.fails(2, *ASKED, "--baseline", "huge.jsonl", cwd=judged)


def test_what_is_written_takes_the_place_of_nothing_else(run: Run, judged: Path) -> None:
    before = (judged / "q.jsonl").read_bytes()
    assert "named twice" in run.fails(2, *ASKED, "--rows", "q.jsonl", "--force", cwd=judged)
    assert "named twice" in run.fails(2, *ASKED, "--rows", "new", "--report", "new", cwd=judged)
    assert (judged / "q.jsonl").read_bytes() == before
    assert not (judged / "new").exists()
    if sys.platform == "win32":
        return
    os.mkfifo(judged / "pipe")
    assert "is no file" in run.fails(2, *ASKED, "--rows", "pipe", "--force", cwd=judged)
    (judged / "real").write_text("old", "utf-8")
    (judged / "link").symlink_to("real")
    run(*ASKED, "--rows", "link", "--force", cwd=judged)
    assert (judged / "link").is_symlink()
    assert "query_id" in (judged / "real").read_text("utf-8")


def test_halves_of_surrogate_pairs_are_no_question(run: Run, judged: Path) -> None:
    (judged / "q.jsonl").write_text('{"_id": "1", "text": "\\ud800 bees"}\n', "utf-8")
    assert "q.jsonl:1: " in run.fails(2, *ASKED, "--rows", "rows.jsonl", cwd=judged)


def test_the_first_question_need_not_be_one_that_can_be_asked(run: Run, judged: Path) -> None:
    lines = [json.dumps({"_id": "1", "text": "-bees"}), json.dumps({"_id": "<2>", "text": "swift wing"})]
    (judged / "q.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    ran = run(*ASKED, "--format", "json", cwd=judged, exit=6)
    assert "1: the query only says what to leave out" in ran.err


def test_the_worst_questions_are_shown_with_what_was_found_instead(run: Run, judged: Path) -> None:
    out = run(*ASKED, "--worst", "1", "--metrics", "precision@1,map@10", cwd=judged).out
    assert out.split()[1:3] == ["precision@1", "map@10"]
    assert "wanted b1" in out


# -- tuning ----------------------------------------------------------------------------------------------


def test_a_weight_is_tuned_on_what_search_finds_at_each(run: Run, samples: Path, tmp_path: Path) -> None:
    shutil.copytree(samples, tmp_path / "own")
    told = run("eval", *FILES, "--modes", "hybrid", "--tune", "--format", "json", cwd=tmp_path / "own").json
    tuning = told["tuning"]
    assert (tuning["queries"], tuning["folds"], tuning["current"]) == (50, 5, 0.5)
    means = {entry["weight"]: entry["mean"] for entry in tuning["weights"]}
    assert means[0.5] == told["modes"]["hybrid"]["ndcg@10"] == tuning["cross_validated"]["current"]
    for weight in ("0", "0.8"):
        apart = run(
            "eval", *FILES, "--modes", "hybrid", "--dense-weight", weight, "--format", "json", cwd=samples
        ).json
        assert means[float(weight)] == apart["modes"]["hybrid"]["ndcg@10"]
    assert tuning["taken"] == (tuning["file"] is not None) == (tmp_path / "own" / "rag.toml").exists()


# What a document says, and what is asked of it: in other words, but for one that is another document's.
MEANT = (
    ("The automobile refused to start.", "why did my car break down in the kitchen"),
    ("Simmer soup gently on the stove of a kitchen.", "how to cook broth for a physician"),
    ("A physician prescribed pills against fever.", "what medicine did the doctor give the puppy"),
    ("The puppy barks at strangers.", "young dog makes noise at the airport"),
    ("Aeroplanes land at the airport every hour.", "when do flights arrive for the wedding"),
    ("They celebrated their wedding in May.", "marriage ceremony with snow"),
    ("Snow covered all roads.", "frozen white winter weather and the lawyer"),
    ("A lawyer spoke before the judge.", "attorney in court about the garden"),
    ("Roses bloom in her garden.", "flowers that blossom beside the bank"),
    ("The bank lends cash to firms.", "credit and money for the orchestra"),
    ("An orchestra performs a symphony.", "classical music concert for children at school"),
    ("Pupils learn arithmetic at school.", "kids are taught mathematics by automobile"),
)


def test_a_better_weight_is_written_beside_the_index_and_used(run: Run, tmp_path: Path) -> None:
    """Words alone mislead; the one who set the weight to 0 did not know that."""
    said, asked = zip(*MEANT, strict=True)
    for name, texts in (("c.jsonl", said), ("q.jsonl", asked)):
        lines = [json.dumps({"_id": f"n{n}", "text": text}) for n, text in enumerate(texts)]
        (tmp_path / name).write_text("\n".join(lines))
    (tmp_path / "q.tsv").write_text("".join(f"n{n}\tn{n}\t1\n" for n in range(len(MEANT))))
    run("index", "c.jsonl", cwd=tmp_path)
    (tmp_path / "rag.toml").write_text("# ours\ndense_weight = 0.0  # set by hand\nk = 3\n")
    words = ("eval", "--queries", "q.jsonl", "--qrels", "q.tsv", "--modes", "hybrid", "--format", "json")
    told = run(*words, "--tune", "--metrics", "mrr@5,ndcg@10", cwd=tmp_path)
    tuning = told.json["tuning"]
    assert (tuning["taken"], tuning["metric"]) == (True, "mrr@5")
    assert tuning["cross_validated"]["best"] > tuning["cross_validated"]["current"]
    weight = tuning["weight"]
    assert f"was 0 and is {weight:g} now, in {tmp_path / 'rag.toml'}" in told.err
    assert (tmp_path / "rag.toml").read_text() == f"# ours\ndense_weight = {weight}  # set by hand\nk = 3\n"
    after = run(*words, "--metrics", "mrr@5", cwd=tmp_path).json["modes"]["hybrid"]["mrr@5"]
    assert after == max(entry["mean"] for entry in tuning["weights"])
    again = run(*words, "--tune", "--metrics", "mrr@5", cwd=tmp_path, env={"RAG_DENSE_WEIGHT": "0"})
    assert "note: RAG_DENSE_WEIGHT is set and overrules it" in again.err


def test_tuning_says_early_what_stands_in_its_way(run: Run, judged: Path) -> None:
    assert "leave out --dense-weight" in run.fails(2, *ASKED, "--tune", "--dense-weight", "0.4", cwd=judged)
    assert "needs 10 judged questions" in run.fails(2, *ASKED, "--tune", cwd=judged)
    (judged / "elsewhere").write_text("k = 5\n")
    (judged / "rag.toml").symlink_to(judged / "elsewhere")
    assert "symbolic link" in run.fails(2, *ASKED, "--tune", cwd=judged)
    assert (judged / "elsewhere").read_text() == "k = 5\n"


def test_questions_are_asked_for(run: Run, fresh: Path) -> None:
    assert "--queries FILE --qrels FILE" in run.fails(2, "eval", cwd=fresh)


# -- questions to begin with -----------------------------------------------------------------------------


def made_in(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "queries.jsonl").read_text("utf-8").splitlines()]


def test_questions_are_made_from_the_index_and_can_be_evaluated(
    run: Run, samples: Path, tmp_path: Path
) -> None:
    ran = run("eval", "--make-questions", "60", "-o", tmp_path / "set", "--format", "json", cwd=samples)
    assert ran.json["questions"] == 60
    assert ran.json["documents"] > 45, "every document gives one before any gives a second"
    made = made_in(tmp_path / "set")
    assert {one["made"] for one in made} == {"heading", "sentence"}
    assert any("\u4e00" <= char <= "\u9fff" for one in made for char in one["text"])
    for one in made:
        assert one["chunk"] in run("show", one["chunk"], cwd=samples).out
    files = ("--queries", tmp_path / "set" / "queries.jsonl", "--qrels", tmp_path / "set" / "qrels.tsv")
    judged = run("eval", *files, "--modes", "lexical", "--format", "json", cwd=samples)
    assert "not in the index" not in judged.err
    assert judged.json["modes"]["lexical"]["recall@10"] > 0.95
    run("eval", "--make-questions", "60", "-o", tmp_path / "again", cwd=samples)
    for name in ("queries.jsonl", "qrels.tsv"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "set" / name).read_bytes()


def test_what_two_documents_say_is_not_asked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    same = "Write to the orchid registry before the end of October.\n"
    (tmp_path / "docs" / "a.md").write_text(f"# Ferns\n\n{same}\nStaghorn ferns hang from a cedar board.\n")
    (tmp_path / "docs" / "b.md").write_text(f"# Palms\n\n{same}\nBismarck palms need a sandy mound.\n")
    run("index", "docs", cwd=tmp_path)
    ran = run("eval", "--make-questions", "9", "-o", "set", cwd=tmp_path)
    assert "gives no more than 2 questions" in ran.err
    assert {(one["text"], one["document"]) for one in made_in(tmp_path / "set")} == {
        ("Staghorn ferns hang from a cedar board.", "docs/a.md"),
        ("Bismarck palms need a sandy mound.", "docs/b.md"),
    }


def test_an_llm_writes_questions_and_what_is_none_is_counted(run: Run, samples: Path, tmp_path: Path) -> None:
    code = (
        'import sys, zlib; n = zlib.crc32(sys.stdin.buffer.read()); print(f"What is {n}?" if n % 2 else "no")'
    )
    llm = f"cmd:{shlex.join([sys.executable, '-c', code])}"
    words = ("eval", "--make-questions", "4", "-o", tmp_path / "set", "--llm", llm, "--format", "json")
    ran = run(*words, cwd=samples)
    made = made_in(tmp_path / "set")
    assert {one["made"] for one in made} == {"llm"}
    assert ran.json["made"] == {"llm": len(made)}
    assert ran.json["skipped"] > 0
    assert len({one["document"] for one in made}) == len(made)
    assert "--force" in run.fails(2, *words, cwd=samples)


def test_an_llm_that_writes_none_or_fails_leaves_nothing(run: Run, samples: Path, tmp_path: Path) -> None:
    for code, exit_code in (("print('I cannot.')", 2), ("raise SystemExit('out of order')", 7)):
        llm = f"cmd:{shlex.join([sys.executable, '-c', code])}"
        run.fails(
            exit_code, "eval", "--make-questions", "2", "-o", tmp_path / "set", "--llm", llm, cwd=samples
        )
    assert not (tmp_path / "set").exists()


def test_an_llm_that_gives_up_leaves_what_it_wrote(run: Run, samples: Path, tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; p = pathlib.Path(sys.argv[1]); n = len(p.read_text()) if p.exists() else 0; "
        "p.write_text('x' * (n + 1)); print(f'What is {n}?') if n < 2 else sys.exit('quota')"
    )
    llm = f"cmd:{shlex.join([sys.executable, '-c', code, str(tmp_path / 'count')])}"
    ran = run("eval", "--make-questions", "5", "-o", tmp_path / "set", "--llm", llm, cwd=samples, exit=6)
    assert "2 of 5 questions were made" in ran.err
    assert "quota" in ran.err
    assert len(made_in(tmp_path / "set")) == 2


def test_questions_beside_the_documents_are_warned_of(run: Run, fresh: Path) -> None:
    ran = run("eval", "--make-questions", "2", "-o", "docs/set", cwd=fresh)
    assert ".ragignore" in ran.err
    assert ".ragignore" not in run("eval", "--make-questions", "2", "-o", "set", cwd=fresh).err


def test_questions_need_a_folder_and_an_index(run: Run, fresh: Path, tmp_path: Path) -> None:
    assert "-o FOLDER" in run.fails(2, "eval", "--make-questions", "2", cwd=fresh)
    run.fails(3, "eval", "--make-questions", "2", "-o", "set", cwd=tmp_path)
    run("remove", "docs", cwd=fresh)
    assert "is empty" in run.fails(3, "eval", "--make-questions", "2", "-o", "set", cwd=fresh)
    assert not (fresh / "set").exists()
