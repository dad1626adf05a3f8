"""Addresses of the annotators' pages. The name of a step's address is the step's own name."""

from django.urls import path

from studies.views.annotator import consent, done, instructions, items, links, media, post, quiz, review

urlpatterns = [
    path("s/<slug:slug>/<str:token>/", links.welcome, name="welcome"),
    path("r/<str:token>/", links.resume, name="resume"),
    path("t/", links.where, name="where"),
    path("t/consent/", consent.consent, name="consent"),
    path("t/quiz/", quiz.quiz, name="quiz"),
    path("t/instructions/", instructions.instructions, name="instructions"),
    path("t/item/", items.item, name="item"),
    path("t/review/", review.review, name="review"),
    path("t/post/", post.post, name="post"),
    path("t/done/", done.done, name="done"),
    path("t/withdraw/", done.withdraw, name="withdraw"),
    path("m/<str:media_id>", media.media, name="media"),
]
