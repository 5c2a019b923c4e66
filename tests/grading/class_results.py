"""A class's results made by hand: what the reports and exports are tested on."""

from minilearn.grading.teach.store import SCHEMA, Store

EXERCISES = [
    {"name": "conv", "number": "3.1", "lesson": "03_convolution", "title": "Tap by tap",
     "points": 5,
     "properties": [{"name": "right at stride 1", "points": 2},
                    {"name": "right, always", "points": 3}]},
    {"name": "pool", "number": "3.2", "lesson": "03_convolution", "title": "Pooling", "points": 4,
     "properties": [{"name": "largest <i>", "points": 4}]},
]
PADDING = "**padding** is ignored <b>"


def outcome(exercise, status, earned, causes=(), message="", flags=()):
    properties = [{"name": p["name"], "status": status if i == len(exercise["properties"]) - 1
                   or earned in (0, None) else "pass",
                   "points_earned": earned if earned in (0, None) else p["points"] if
                   (status == "pass" or i < len(exercise["properties"]) - 1) else 0,
                   "points_possible": p["points"], "examples": 9, "seconds": 0.25,
                   "case": "abc123" if causes else "", "message": message}
                  for i, p in enumerate(exercise["properties"])]
    case = {"id": "abc123", "exercise": exercise["name"], "property": "right, always",
            "text": '{"n": 3}'} if causes else None
    return {"key": "k", "status": status, "points_earned": earned,
            "points_possible": exercise["points"], "seconds": 0.5, "properties": properties,
            "causes": list(causes), "message": message, "case": case, "flags": list(flags),
            "output_truncated": False}


def result(student, *outcomes):
    names = [e["name"] for e in EXERCISES]
    return {"schema": SCHEMA, "student_id": student, "content_sha256": "c0ffee",
            "grader_version": "0.1+x", "seed_id": "5eed", "tier": 2, "versions": {},
            "exercises": dict(zip(names, outcomes, strict=False)), "sealed": True,
            "graded_at": "2026-01-02T03:04:05+00:00", "submission": student, "unreadable": {},
            "ignored": ["conftest.py"]}


def make(folder):
    """Write the results of a small class, and return their store."""
    conv, pool = EXERCISES
    store = Store(folder)
    store.write_batch({
        "schema": SCHEMA, "assignment": "hw <3>", "exercises": EXERCISES, "problems": ["a & b"],
        "grader_version": "0.1+x", "seed_id": "5eed", "tier": 2, "sealed": True, "examples": 9,
        "versions": {}, "shard": "1/1", "self_check": {"before": "passed", "after": "passed"},
        "roster": [
            {"student_id": "ada", "name": "Ada King Lovelace", "email": "ada@x.org",
             "late_seconds": "3725", "late_penalty": "1.5"},
            {"student_id": "007", "name": "=cmd()", "email": ""},
            {"student_id": "zoe", "name": "Zoe", "email": "z@x.org"}]})
    full = [outcome(conv, "pass", 5), outcome(pool, "pass", 4)]
    wrong = outcome(conv, "wrong_shape", 2, [PADDING], "✗ conv: <script>\nlike so")
    blank = outcome(pool, "not_implemented", 0, message="… pool: not written yet")
    broken = outcome(pool, "grader_error", None, message="The grader itself failed.")
    store.write_result(result("ada", *full))
    store.write_result(result("007", wrong, blank))
    store.write_result(result("eve", outcome(conv, "wrong_shape", 2, [PADDING], "m",
                                             ["read_outside"]), broken))
    return store
