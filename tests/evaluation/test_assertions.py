"""What `evaluate --assert` takes, and when it holds."""

import pytest

from imgcls.console.views.evaluation import missed
from imgcls.errors import UsageError
from imgcls.evaluation.assertions import COMPARISONS, Assertion
from imgcls.evaluation.scores import ClassScore, Evaluation

FOUND = Evaluation(
    run="runs/pets-001",
    checkpoint="step-12",
    split="test",
    images=200,
    loss=float("nan"),
    accuracy=0.95,
    top_5_accuracy=None,
    macro_f1=0.6,
    balanced_accuracy=0.7,
    per_class=(
        ClassScore("cat", 0.75, 0.5, 0.6, 100),
        ClassScore("a]>=1", None, 0.0, None, 100),
    ),
    confusion_matrix=((1, 0), (0, 1)),
)


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("accuracy>=0.95", 0.95, True),
        ("accuracy > 0.95", 0.95, False),
        (" accuracy <= 9.5e-1 ", 0.95, True),
        ("accuracy<0.95", 0.95, False),
        ("images==200", 200, True),
        ("images = 201", 200, False),
        ("recall[cat]>=.5", 0.5, True),
        ("precision[cat]>0.8", 0.75, False),
        ("f1[cat]<1", 0.6, True),
        ("support[cat]>=101", 100, False),
        ("support[a]>=1]>=100", 100, True),
        ("precision[a]>=1]>=0", None, False),
        ("loss<1e9", None, False),
        ("top_5_accuracy>=0", None, False),
        ("macro_f1>=0.6", 0.6, True),
        ("balanced_accuracy>0.7", 0.7, False),
    ],
)
def test_a_figure_is_compared_as_it_was_asked(text, value, holds):
    """
    A build that passes by mistake ships a bad model; what is undefined must never pass.
    """
    outcome = Assertion.parse(text).outcome(FOUND)

    assert (value, holds) == (outcome.value, outcome.holds)
    assert ["assertion", "value", "holds"] == list(outcome.to_json())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("accuracy", "must be a figure"),
        ("accuracy!=0.5", "must be a figure"),
        (">=0.5", "must be a figure"),
        ("", "must be a figure"),
        ("acuracy>=0.5", "unknown metric acuracy; did you mean accuracy"),
        ("accuracy>=high", "high is no number"),
        ("loss<nan", "nan is no finite number"),
        ("loss<inf", "inf is no finite number"),
        ("accuracy>=97", "accuracy is a share, from 0 to 1; got 97"),
        ("recall[cat]<-0.5", "recall is a share"),
        ("recall>=0.5", "write recall[CLASS]"),
        ("accuracy[cat]>=0.5", "accuracy is of all classes"),
    ],
)
def test_what_can_never_be_right_is_refused(text, message):
    """
    A slip in the file of a build must stop it at once, not after the model was evaluated.
    """
    with pytest.raises(UsageError) as caught:
        Assertion.parse(text)

    assert message in str(caught.value)


def test_what_the_run_cannot_have_is_refused():
    """
    `recall[cta]` would be missed for ever.
    """
    with pytest.raises(UsageError, match="no class cta; did you mean cat"):
        Assertion.parse("recall[cta]>0.5").check(["cat", "dog"])
    with pytest.raises(UsageError, match="for more than 5 classes; the run has 5"):
        Assertion.parse("top_5_accuracy>0.5").check(list("abcde"))
    Assertion.parse("top_5_accuracy>0.5").check(list("abcdef"))
    Assertion.parse("recall[cat]>0.5").check(["cat", "dog"])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("accuracy>=0.97", "accuracy is 0.9500, expected >= 0.97"),
        ("accuracy>0.95", "accuracy is 0.9500, expected > 0.95"),
        ("accuracy<=0.949999", "accuracy is 0.9500, expected <= 0.949999"),
        ("images=201", "images is 200, expected = 201"),
        ("loss<1", "loss is n/a, expected < 1"),
    ],
)
def test_what_was_missed_says_what_it_is_and_what_it_was_to_be(text, line):
    """
    The line is all that the log of a build shows.
    """
    assert line == missed(Assertion.parse(text).outcome(FOUND))


def test_a_near_miss_is_shown_in_as_many_digits_as_it_takes():
    """
    "accuracy is 0.9700, expected >= 0.97" is a riddle.
    """
    near = Evaluation(**{**vars(FOUND), "accuracy": 0.96999})

    assert "accuracy is 0.96999, expected >= 0.97" == missed(
        Assertion.parse("accuracy>=0.97").outcome(near)
    )


def test_the_comparisons_are_those_that_people_write():
    """
    A forgotten one would be taken for the end of a number.
    """
    assert {">=", ">", "<=", "<", "=", "=="} == set(COMPARISONS)
