"""Predict first: a question, answers that move the sliders, and nothing locked."""

from __future__ import annotations

import ipywidgets
import pytest

from igviz.panels.engine import Prediction, panel
from igviz.panels.engine.controls import every_widget


def make(question="Where does it go?"):
    @panel(
        size=(320, 200),
        setup=lambda axes: axes.set(xlim=(0, 4), ylim=(0, 4)),
        a=(0, 4, 1),
        b=(0, 4, 1),
        scenes={"Left": {"a": 0}},
        predict=Prediction(question, ["Up", "Down"], at={"a": 3, "b": 1}),
    )
    def point(axes, a=1, b=2):
        axes.plot([a], [b], "o")
        return f"a is {a}, b is {b}"

    return point


def buttons(p):
    return {one.description: one for one in every_widget(p.widget) if isinstance(one, ipywidgets.Button)}


@pytest.mark.parametrize(
    "choices", [["one"], [], ["a", "a"], ["a", "b", "c", "d", "e", "f"]], ids=["one", "none", "same", "six"]
)
def test_there_are_two_to_five_different_answers(choices):
    with pytest.raises(ValueError, match="two to five different answers"):
        Prediction("?", choices, at={})


def test_answering_moves_there_and_quotes():
    p = make()
    picture = p.widget.picture
    buttons(p)["Down"].click()
    assert p.values == {"a": 3, "b": 1}
    assert picture.quote == "You predicted: Down."
    assert picture.sentence == "a is 3, b is 1", "the quote stands beside the sentence, not in it"
    p.set(a=0)
    assert picture.quote == "You predicted: Down.", "nothing is locked, the quote stays"
    buttons(p)["Reset"].click()
    assert (picture.quote, p.values) == ("", {"a": 1, "b": 2})


def test_show_me_moves_without_a_quote():
    p = make()
    buttons(p)["Up"].click()
    buttons(p)["Show me"].click()
    assert p.values == {"a": 3, "b": 1}
    assert p.widget.picture.quote == ""


def test_another_answer_at_the_same_place_is_quoted_in_one_frame():
    p = make()
    picture = p.widget.picture
    p.answer("Up")
    before = picture.serial
    p.answer("Down")
    assert (picture.serial, picture.quote) == (before + 1, "You predicted: Down.")


def test_an_unknown_answer_is_named():
    with pytest.raises(ValueError, match="no answer 'Left'; there are: 'Up', 'Down'"):
        make().answer("Left")


def test_the_question_is_text_and_never_markup():
    p = make("Is 1 < 2 & <b>bold</b>?")
    (text,) = [one for one in every_widget(p.widget) if isinstance(one, ipywidgets.HTML)]
    assert "Is 1 &lt; 2 &amp; &lt;b&gt;bold&lt;/b&gt;?" in text.value


def test_the_stored_output_shows_the_unanswered_start():
    bundle = make()._repr_mimebundle_()[0]
    assert bundle["text/plain"] == "a is 1, b is 2"


def test_a_copy_may_start_where_the_answer_is():
    p = make()(a=3, b=1)
    p.answer("Up")
    assert p.widget.picture.quote == "You predicted: Up."
