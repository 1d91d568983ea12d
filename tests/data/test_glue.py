"""Files in the format of GLUE: each task's columns and labels, and what is said about what cannot be read."""

import pytest

from lmcourse.data.glue import TASKS, Example, read_glue

FILES = {
    "cola": (
        'gj04\t1\t\tThe sailors rode.\ngj04\t0\t*\tThey rode "it.\n',
        [Example("The sailors rode.", None, 1), Example('They rode "it.', None, 0)],
    ),
    "sst2": ("sentence\tlabel\ngood \t1\n", [Example("good ", None, 1)]),
    "mrpc": ("\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t7\t8\tA\tB\n", [Example("A", "B", 0)]),
    "qqp": ("id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\tA?\tB?\t1\n", [Example("A?", "B?", 1)]),
    "stsb": (
        "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n"
        "0\tm\tf\t2012\t1\tn\tn\tA\tB\t3.25\n",
        [Example("A", "B", 3.25)],
    ),
    "mnli": (
        "index\tpairID\tsentence1\tsentence2\tlabel1\tgold_label\n0\t1\tA\tB\tneutral\tcontradiction\n"
        "1\t2\tA\tC\tneutral\tentailment\n",
        [Example("A", "B", 2), Example("A", "C", 0)],
    ),
    "qnli": ("index\tquestion\tsentence\tlabel\n0\tA?\tB\tnot_entailment\n", [Example("A?", "B", 1)]),
    "rte": ("index\tsentence1\tsentence2\tlabel\n0\tA\tB\tentailment\n", [Example("A", "B", 0)]),
    "wnli": ("index\tsentence1\tsentence2\tlabel\n0\tA\tB\t1\n", [Example("A", "B", 1)]),
}


def written(folder, text):
    path = folder / "dev.tsv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("task", TASKS)
def test_a_file_of_each_task(tmp_path, task):
    text, expected = FILES[task]
    assert read_glue(written(tmp_path, text), task) == expected
    assert read_glue(written(tmp_path, text.replace("\n", "\r\n")), task) == expected


@pytest.mark.parametrize(
    ("task", "text", "expected"),
    [
        ("cola", "index\tsentence\n0\tBill slept.\n", Example("Bill slept.", None, None)),
        ("sst2", "index\tsentence\n0\tgood\n", Example("good", None, None)),
        ("rte", "index\tsentence1\tsentence2\n0\tA\tB\n", Example("A", "B", None)),
    ],
)
def test_files_without_labels(tmp_path, task, text, expected):
    assert read_glue(written(tmp_path, text), task) == [expected]


@pytest.mark.parametrize(
    ("task", "text", "message"),
    [
        ("sst2", "sentence\tlabel\ngood\t1\nbad\t2\n", "line 3: the label '2' is none of 0, 1"),
        ("sst2", "sentence\tlabel\ngood\n", "line 2: 2 columns are needed, not 1: 'good'"),
        ("sst2", "text\tlabel\ngood\t1\n", r"line 1: the columns \['sentence'\] of sst2 are missing"),
        ("cola", "gj04\t1\t\tA\ngj04\t3\t\tA\n", "line 2: the label '3'"),
        ("cola", "gj04\t1\tA\n", "line 1: 4 columns are needed, not 3"),
        ("stsb", FILES["stsb"][0].replace("3.25", "5.5"), "line 2: the score '5.5' is not between 0 and 5"),
        ("stsb", FILES["stsb"][0].replace("3.25", "high"), "line 2: the score 'high' is no number"),
        ("stsb", FILES["stsb"][0].replace("3.25", "nan"), "'nan' is not between"),
        ("mnli", FILES["mnli"][0].replace("contradiction", "-"), "line 2: the label '-'"),
        ("qnli", "", "line 1: the columns"),
    ],
)
def test_bad_files(tmp_path, task, text, message):
    path = written(tmp_path, text)
    with pytest.raises(ValueError, match=message) as error:
        read_glue(path, task)
    assert str(path) in str(error.value)


def test_an_unknown_task(tmp_path):
    with pytest.raises(ValueError, match="unknown task 'snli'; there are cola, sst2"):
        read_glue(tmp_path, "snli")
