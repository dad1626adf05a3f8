"""The fields of the planner's form, in groups, in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """One parameter; `{conditions}` in its help stands for the names of the study's conditions."""

    name: str
    label: str
    help: str
    options: tuple[tuple[str, str], ...] = ()


GROUPS: tuple[tuple[str, tuple[Field, ...]], ...] = (
    (
        "What you expect",
        (
            Field(
                "accuracies",
                "Accuracy in each condition",
                "How often the average annotator is right on an average item, as in .55, .80. In the order of the"
                " conditions: {conditions}.",
            ),
            Field(
                "pilot",
                "Standard deviations",
                "How much people and items differ: as you write it, or estimated from answers that this study has; then"
                " the next two numbers do not count.",
                (("", "as written below"),),
            ),
            Field(
                "annotator_sd",
                "How much annotators differ",
                "Standard deviation in logits. With .5 one person in six is right on 79 % or more where the average is"
                " on 70 %.",
            ),
            Field(
                "item_sd",
                "How much items differ",
                "Standard deviation in logits. With 1 one item in six has 86 % or more right answers where the average"
                " has 70 %.",
            ),
            Field("choices", "Choices", "Answers to choose from: what chance agreement is computed from."),
        ),
    ),
    (
        "The design",
        (
            Field("annotators", "Annotators per condition", "One number, or one for each condition, as in 8, 8, 10."),
            Field("items", "Items", "Those that count; all conditions have the same."),
            Field(
                "test",
                "Test",
                "Both compare annotators, not answers.",
                (("trend", "trend over the ordered conditions"), ("pairs", "all pairs, corrected by Holm")),
            ),
            Field("level", "Level of the test", "The chance of a false alarm, mostly .05."),
        ),
    ),
    (
        "What you want",
        (
            Field("power", "Power", "The chance to find the difference if it is there, mostly .8."),
            Field("width", "Width of alpha's interval", "How wide its 95 % interval may be, as in .3."),
        ),
    ),
    (
        "What it costs",
        (
            Field("minutes_per_item", "Minutes per item", "Reading and answering."),
            Field("minutes_fixed", "Minutes around the items", "Consent, quiz, instructions and last questions."),
            Field("further_items", "Practice items and attention checks", "They take as long as items."),
            Field("pay", "Pay per hour", "In your currency."),
            Field("fee", "Fee of the platform", "In percent of the pay."),
        ),
    ),
)
