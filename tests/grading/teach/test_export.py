"""Tables of a class: exact column names, nothing that breaks a spreadsheet, nobody left out."""

import csv
import io

import pytest

from minilearn.grading.teach.export import FORMATS, export
from minilearn.grading.teach.gradebook import Gradebook
from minilearn.grading.teach.table import cell, to_csv
from tests.grading.class_results import make


@pytest.fixture
def book(tmp_path):
    return Gradebook(make(tmp_path))


def read(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def header(content):
    return content.decode().splitlines()[0]


def test_gradebook_columns_are_those_agreed(book):
    files = export(book, "csv")
    assert header(files["gradebook.csv"]) == (
        "student_id,display_name,submission,conv,pool,points_earned,points_possible,percent,"
        "late_seconds,late_penalty,final_points,status,n_grader_errors,flags,sealed,"
        "content_sha256,graded_at,grader_version,seed_id")
    assert header(files["results.csv"]) == (
        "student_id,exercise,property,status,points_earned,points_possible,seconds,case_id,message")
    assert header(files["points.csv"]) == "exercise,property,points,title"


def test_everyone_has_a_row_and_our_failures_are_empty(book):
    rows = {r["student_id"]: r for r in read(export(book, "csv")["gradebook.csv"])}
    assert list(rows) == ["007", "ada", "eve", "zoe"]
    assert rows["ada"]["points_earned"] == "9" and rows["ada"]["final_points"] == "7.5"
    assert rows["ada"]["percent"] == "100" and rows["ada"]["status"] == "graded"
    assert rows["007"]["points_earned"] == "2" and rows["007"]["percent"] == "22.22"
    eve = rows["eve"]
    assert (eve["pool"], eve["points_earned"], eve["final_points"]) == ("", "", "")
    assert (eve["status"], eve["n_grader_errors"]) == ("grader_error", "1")
    assert (eve["conv"], eve["flags"], eve["sealed"]) == ("2", "read_outside", "yes")
    zoe = rows["zoe"]
    assert (zoe["status"], zoe["points_earned"], zoe["conv"]) == ("missing", "0", "")


def test_long_table_has_a_row_for_each_property(book):
    rows = read(export(book, "csv")["results.csv"])
    assert len(rows) == 9  # three students, two properties and one
    first = rows[1]
    assert (first["student_id"], first["property"]) == ("007", "right, always")
    assert (first["status"], first["points_earned"], first["case_id"]) == (
        "wrong_shape", "0", "abc123")
    assert first["message"] == "✗ conv: <script> / like so"


def test_nbgrader(book):
    content = export(book, "nbgrader")["nbgrader.csv"]
    assert header(content) == ("assignment,duedate,timestamp,student_id,last_name,first_name,email,"
                               "raw_score,late_submission_penalty,score,max_score")
    rows = {r["student_id"]: r for r in read(content)}
    ada = rows["ada"]
    assert (ada["first_name"], ada["last_name"]) == ("Ada King", "Lovelace")
    assert (ada["raw_score"], ada["late_submission_penalty"], ada["score"]) == ("9", "1.5", "7.5")
    assert rows["zoe"]["score"] == "0" and rows["eve"]["score"] == "" and ada["max_score"] == "9"


def test_gradescope(book):
    content = export(book, "gradescope")["gradescope.csv"]
    assert header(content).startswith(
        "First Name,Last Name,SID,Email,Sections,Total Score,Max Points,Status,Submission ID,"
        "Submission Time,Lateness (H:M:S),View Count,Submission Count,3.1: conv (5 pts),")
    rows = {r["SID"]: r for r in read(content)}
    assert rows["ada"]["Lateness (H:M:S)"] == "1:02:05" and rows["ada"]["Status"] == "Graded"
    assert rows["zoe"]["Status"] == "Missing" and rows["zoe"]["Total Score"] == ""
    assert rows["007"]["3.2: pool (4 pts)"] == "0"


def test_canvas_has_the_row_of_possible_points_first(tmp_path):
    book = Gradebook(make(tmp_path), "Homework 3 (4711)")
    content = export(book, "canvas")["canvas.csv"]
    assert header(content) == "Student,ID,SIS User ID,SIS Login ID,Section,Homework 3 (4711)"
    rows = read(content)
    assert rows[0]["Student"] == "    Points Possible" and rows[0]["Homework 3 (4711)"] == "9"
    assert {r["SIS User ID"]: r["Homework 3 (4711)"] for r in rows[1:]} == {
        "007": "2", "ada": "7.5", "eve": "", "zoe": "0"}


def test_classroom(book):
    content = export(book, "classroom")["classroom.csv"]
    assert header(content) == (
        "assignment_name,assignment_url,starter_code_url,github_username,roster_identifier,"
        "student_repository_name,student_repository_url,submission_timestamp,points_awarded,"
        "points_available")
    rows = {r["github_username"]: r for r in read(content)}
    assert (rows["ada"]["points_awarded"], rows["ada"]["points_available"]) == ("7.5", "9")


@pytest.mark.parametrize("form", FORMATS)
def test_no_cell_is_a_formula_or_breaks_a_row(book, form):
    for content in export(book, form).values():
        rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
        assert len({len(row) for row in rows}) == 1
        assert not any(c.startswith(("=", "+", "@", "\t", "\r")) for row in rows for c in row)
        assert content.count(b"\n") == len(rows) and b"\r" not in content


@pytest.mark.parametrize(("value", "text"), [
    ("=1+1", "'=1+1"), ("+x", "'+x"), ("-x", "'-x"), ("@x", "'@x"), ("\tx", "'x"), (-2, "-2"),
    (-0.5, "-0.5"), (3.0, "3"), ("a\r\nb\nc", "a / b / c"), (None, ""), ("007", "007"),
    (True, "True"), ("é\x1b[31m", "é[31m")])
def test_cells(value, text):
    assert cell(value) == text


def test_excel_gets_its_mark():
    assert to_csv(["é"], [], excel=True) == b"\xef\xbb\xbf\xc3\xa9\r\n"
