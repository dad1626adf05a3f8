"""The platform's words on annotators' pages: neutral about results, the same for every condition that shows them."""

from __future__ import annotations

PROMPT = "What does the model answer?"
PROMPT_HINT = "Choose what you think it predicts, not what is true."
MASKED_CLASS = "the model's answer"
CONFIDENCE_SCALE = (
    ("1", "Guessing"),
    ("2", "Not very sure"),
    ("3", "Somewhat sure"),
    ("4", "Quite sure"),
    ("5", "Certain"),
)
HELPFUL_OPTIONS = (("overview", "Overview"), ("features", "Features"))
QUESTION_TEXTS = {
    "confidence": "How sure are you?",
    "helpful": "Which page was more helpful for this item?",
    "comment": "Anything to add? (optional)",
}
POST_TEXTS = {"comment": "Is there anything you would like to tell us?"}
WATERMARKS = {
    "live": "",
    "pilot": "Preview: nothing here is counted",
    "simulated": "Simulated annotator: not data from a person",
}
CONSENT = """\
## Taking part in this study

You will look at pictures and sentences, together with explanations of what a computer model attends to, and choose what
you think the model answers. There are no right or wrong people here: we study the explanations, not you.

* Taking part is voluntary. You may stop at any time and delete your answers with one click.
* We store your answers, the time they take and no name, address or IP number.
* The data are analysed for research and may be published in anonymous form.
"""
CONSENT_IDS = """\
* The id under which the recruitment platform sent you is stored apart from your answers, so that everybody takes part
  once. It is deleted when you stop and delete your answers; a code from which nobody can tell it stays, so that it
  cannot be used a second time.
"""
# Per stage: heading, how to read it, the drawing in static/studies/examples, and how one would read that drawing.
STAGE_INTRODUCTIONS = {
    "U": (
        "What matters on its own",
        "The stronger a part of the picture is coloured or framed (purple: weak; orange; yellow: strongest), and a word"
        " underlined, the more it moved the model towards the answer. Picture and words are judged separately.",
        "unimodal",
        "in the drawing the ball is coloured most, the green cup a little and the blue cube not at all; “colour” has"
        " the thickest line, “ball?” a thinner one. So the model went by the ball, hardly by the cup, and by the words"
        " that ask for the colour of a ball.",
    ),
    "C": (
        "What matters together",
        "For some words, a picture of their own shows which parts of the image the model combined with this very word.",
        "crossmodal",
        "the drawing belongs to the word “ball?”. Only the ball is coloured: the model combined this word with the"
        " ball, and with neither the cube nor the cup. For another word, another part could be coloured.",
    ),
    "Rl": (
        "Features on this example",
        "Inside the model there are features: detectors that it learned by itself, with numbers here instead of names."
        " For each of the features that count for the answer you see which parts of this example set it off.",
        "local",
        "in the drawing, feature 3 is set off by the ball and by nothing else. It may react to balls, to anything"
        " round or to this colour: one example alone does not tell.",
    ),
    "Rg": (
        "Features on other examples",
        "For each feature you also see other examples that set it off most strongly, with the parts that did so. What"
        " they have in common tells what the feature looks for.",
        "global",
        "the drawing shows three other examples for feature 3. In each of them a ball sets it off, and the box beside"
        " it does not. The colours differ and the shape stays, so this feature seems to look for balls.",
    ),
    "P": (
        "How features add up",
        "The model's answer is a weighted sum of features. The graph shows how much each feature counts for the answer;"
        " the thicker the line, the more it counts.",
        "prediction",
        "in the drawing the line of feature 1 is the thickest: it counts most for the answer, feature 2 counts about"
        " half as much, feature 3 very little. To tell the answer, find out first what feature 1 looks for.",
    ),
}
LINK_STATES = {
    "yours": ("You have started already", "This browser knows your place: go on where you were."),
    "withdrawn": ("You have stopped taking part", "Your answers have been deleted. Nobody takes part a second time."),
    "closed": ("This study is not open", "It has not begun yet, or it has ended. Thank you for your interest."),
    "used": (
        "This link has been used",
        "Everybody takes part once. If it was you, go on with the browser that you began in, or open the personal"
        " link that you were shown after the start.",
    ),
    "revoked": ("This link is no longer valid", "Please ask the people who gave it to you."),
    "full": (
        "The study is complete",
        "At the moment there is no place left, so there is nothing for you to do. Thank you for coming. Should a"
        " place become free, your link works again.",
    ),
    "incomplete": (
        "This link is not complete",
        "It does not say who sent you. Please go back to the page that you came from and open the study there again.",
    ),
}
SHEET_ENDS = {
    "full": (
        "The study is complete",
        "Enough people have taken part in the meantime, so there is nothing left for you to do. Thank you for coming.",
    ),
    "closed": (
        "The study has ended",
        "It was closed before you reached the end. What you answered so far is stored. Thank you for taking part.",
    ),
    "screened_out": (
        "Thank you for your interest",
        "Your answers to the questions about the task were not the ones that this study needs, so it ends here for you."
        " This says nothing about you: the task is unusual.",
    ),
    "withdrawn": (
        "Your answers have been deleted",
        "You have stopped taking part. Nothing that you answered is kept. You may close this page.",
    ),
}
BEING_PREPARED = (
    "The next page is being prepared",
    "It is ready in a moment, and this page looks again by itself. Everything that you answered is stored.",
)
