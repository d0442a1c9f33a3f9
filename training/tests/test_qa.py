"""Question files of other people's form, on rows made up here, and on real ones where they lie beside the checkout."""

import json
from pathlib import Path

import pytest

from lookahead_training.qa import Example, plain, read_activitynet_qa, read_next_qa
from read_qa import report

REAL = Path(__file__).resolve().parents[3] / "shared/data/qa"
HEADER = "video,frame_count,width,height,question,answer,qid,type,a0,a1,a2,a3,a4"
ROWS = [
    '11,300,640,480,why did the gate open at the end,3,0,CW,it rained,a dog barked,wind,"the van stopped, then rang",nobody knows',
    "11,300,640,480,what does the van do after stopping,0,4,TN,drives in,turns,stops,waits,leaves",
    "12,90,320,240,how many vans are there,4,2,DC,one,two,three,four,five",
]


@pytest.fixture
def next_qa(tmp_path: Path) -> Path:
    path = tmp_path / "val.csv"
    path.write_text("\n".join([HEADER, *ROWS]) + "\n")
    return path


def activitynet(tmp_path: Path, kind: int = 2, answered: str = "v_a_1") -> tuple[Path, Path]:
    questions, answers = tmp_path / "val_q.json", tmp_path / "val_a.json"
    asked = {"video_name": "a", "question": "What happens after the Van stops?"}
    questions.write_text(json.dumps([asked | {"question_id": "v_a_1"}]))
    told = {"answer": "The gate opens.", "type": kind, "question_id": answered}
    answers.write_text(json.dumps([told]))
    return questions, answers


def test_rows_of_next_qa_become_examples(next_qa: Path) -> None:
    why, then, many = read_next_qa(next_qa)
    assert why.parts() == (
        ["Q:", " why did the gate open at the end ?", "A:"],
        " the van stopped , then rang .",
    )
    assert [e.reasoning for e in (why, then, many)] == ["causal", "temporal", "descriptive"]
    assert (why.id, then.video, many.answer) == ("11_0", "11", "five")
    assert then.rivals()[then.options.index(then.answer)] == " drives in ."


def test_questions_and_answers_of_activitynet_qa_are_joined(tmp_path: Path) -> None:
    (example,) = read_activitynet_qa(*activitynet(tmp_path))
    assert example == Example(
        source="activitynet-qa",
        id="v_a_1",
        video="a",
        question="what happens after the van stops",
        answer="the gate opens",
        reasoning="temporal",
    )


@pytest.mark.parametrize(
    "row", ["11,1,1,1,why,5,0,CW,a,b,c,d,e", "11,1,1,1,why,0,0,XX,a,b,c,d,e", "11,1,1,1,why,0"]
)
def test_a_row_that_is_none_is_named(next_qa: Path, row: str) -> None:
    next_qa.write_text("\n".join([HEADER, ROWS[0], row]) + "\n")
    with pytest.raises(ValueError, match="line 3"):
        read_next_qa(next_qa)


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no answer to v_a_1"):
        read_activitynet_qa(*activitynet(tmp_path, answered="v_b_1"))
    with pytest.raises(ValueError, match="type 9"):
        read_activitynet_qa(*activitynet(tmp_path, kind=9))


def test_text_is_written_as_the_yard_writes_it() -> None:
    assert plain("It's 3.5 m,  isn't it?!") == "it's 3.5 m , isn't it"


@pytest.mark.skipif(not REAL.exists(), reason="no rows of the real files beside the checkout")
def test_the_real_rows_are_read() -> None:
    causal = read_next_qa(REAL / "nextqa-val-400.csv")
    open_ended = read_activitynet_qa(
        REAL / "activitynet-val_q-400.json", REAL / "activitynet-val_a-400.json"
    )
    assert len(causal) == len(open_ended) == 400
    assert sum(example.reasoning == "causal" for example in causal) == 210
    assert all(example.answer and example.question for example in [*causal, *open_ended])
    assert report(causal).splitlines()[-1] == "400 in all"
