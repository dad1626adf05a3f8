"""Addresses of the annotators' pages. The name of a step's address is the step's own name."""

from django.urls import path

from studies.views.annotator import consent, done, drafts, instructions, items, links, media, post, quiz, review

# Tokens are letters and digits: what holds anything else (a NUL, which PostgreSQL refuses) is no address at all.
urlpatterns = [
    path("s/<slug:slug>/", links.recruit, name="recruit"),
    path("s/<slug:slug>/<slug:token>/", links.welcome, name="welcome"),
    path("r/<slug:token>/", links.resume, name="resume"),
    path("t/", links.where, name="where"),
    path("t/consent/", consent.consent, name="consent"),
    path("t/quiz/", quiz.quiz, name="quiz"),
    path("t/instructions/", instructions.instructions, name="instructions"),
    path("t/item/", items.item, name="item"),
    path("t/draft/", drafts.draft, name="draft"),
    path("t/exposure/", drafts.exposure, name="exposure"),
    path("t/other/", links.other, name="other"),
    path("t/review/", review.review, name="review"),
    path("t/post/", post.post, name="post"),
    path("t/done/", done.done, name="done"),
    path("t/withdraw/", done.withdraw, name="withdraw"),
    path("m/<slug:media_id>", media.media, name="media"),
]
