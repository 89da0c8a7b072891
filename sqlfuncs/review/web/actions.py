"""What can be done on the pages: forms that are posted, each of which ends on a page. Starlette."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from sqlfuncs.errors import BadInput, SqlfuncsError
from sqlfuncs.review.decisions import APPLIED, MACHINE, Decision, in_short
from sqlfuncs.review.labels.base import number
from sqlfuncs.review.review import Review
from sqlfuncs.review.web import view_models
from sqlfuncs.review.web.guard import Session, session_of

_LONGEST_FORM = 1_000_000  # bytes
_LONGEST_NAME = 80
_AFTER_AN_ERROR = {"/reviewer": "/progress", "/invite": "/progress", "/verify": "/verify"}


class Form(dict[str, list[str]]):
    """The fields of a form that was sent."""

    def one(self, name: str, otherwise: str = "") -> str:
        """A field that is there once."""
        return self.get(name, [otherwise])[0]

    @property
    def flat(self) -> dict[str, str]:
        """Each field once."""
        return {name: values[0] for name, values in self.items()}


@dataclass
class Actions:
    """What reviewers do. Each takes a form and gives the address of the page that follows."""

    review: Review
    invite: Callable[[str], str]  # a link for a reviewer

    def decide(self, session: Session, form: Form) -> str:
        """Decide about a row, and go on to the next one."""
        wanted, place = view_models.wanted(form.flat), self._place(form.one("row"))
        new = self.review.queue.labels.read(form, self.review.source.in_words)
        on = self.review.next(wanted, session.reviewer, after=place)
        decided = self.review.decide(
            self.review.queue.keys[place],
            form.one("action"),
            new,
            session.reviewer,
            form.one("seen"),
        )
        session.message = f"{_in_short(decided)} U takes it back."
        if wanted.sort == "verify" and (on is None or self.review.evidence().is_decided):
            return view_models.address("/verify", wanted)
        if form.one("from") == "list":
            return view_models.address("/list", wanted, page=form.one("page") or None)
        return view_models.address("/", wanted, row=on if on != place else None)

    def again(self, form: Form) -> dict[str, str | None]:
        """What the page needs to show a row again whose form was not taken, as it was filled in."""
        row = number(form.one("row"))
        if row is None or row >= len(self.review.queue.keys):
            return {}
        return {"row": str(row), "typed": self.review.queue.labels.typed(form)}

    def undo(self, session: Session, form: Form) -> str:
        """Take back the latest step, and show it."""
        undone = self.review.undo(session.reviewer)
        many = len(undone) > 1
        session.message = f"{len(undone)} decisions were" if many else f"{undone[0].key} was"
        session.message = f"Undone: {session.message} taken back."
        wanted = view_models.wanted(form.flat)
        if many or form.one("from") == "list":
            return view_models.address("/list", wanted)
        return view_models.address("/", wanted, row=self.review.queue.place[undone[0].key])

    def accept(self, session: Session, form: Form) -> str:
        """Accept the suggestions that were previewed."""
        keys = [self.review.queue.keys[self._place(row)] for row in form.get("row", [])]
        labels = dict(zip(keys, map(self._label, form.get("label", [])), strict=False))
        done = self.review.accept(labels, session.reviewer)
        session.message = f"{len(done)} labels were replaced. U takes all of them back."
        return view_models.address("/list", view_models.wanted(form.flat))

    def release(self, session: Session, form: Form) -> str:
        """Apply the corrections that the reviewed rows release."""
        done = self.review.release(number(form.one("count")) or 0, session.reviewer)
        session.message = f"{len(done)} corrections are applied. U takes all of them back."
        return view_models.address("/verify", view_models.wanted(form.flat))

    def learn(self, session: Session, form: Form) -> str:
        """Make the queue anew in the background."""
        self.review.learn_soon()
        session.message = "Learning from what is decided; the queue changes when that is done."
        return view_models.address("/", view_models.wanted(form.flat))

    def rename(self, session: Session, form: Form) -> str:
        """Say who decides."""
        session.reviewer = reviewer_name(form.one("name"))
        session.message = f"Decisions are now noted as {session.reviewer}'s."
        return view_models.address("/progress", view_models.wanted(form.flat))

    def invited(self, session: Session, form: Form) -> str:
        """A link for somebody else."""
        name = reviewer_name(form.one("name"))
        session.message = f"For {name}, to open once on this machine: {self.invite(name)}"
        return view_models.address("/progress", view_models.wanted(form.flat))

    def _place(self, row: str) -> int:
        """The place of a row, as forms name it: a text may not come back as it was sent."""
        place = number(row)
        if place is None or place >= len(self.review.queue.keys):
            raise BadInput(f"there is no row number {row!r}.")
        return place

    def _label(self, code: str) -> str:
        labels = self.review.queue.labels
        return labels.check(labels.read({"label": [code]}, self.review.source.in_words))


def posted(
    action: Callable[[Session, Form], str], again: Callable[[Form], dict[str, str | None]]
) -> Callable[[Request], object]:
    """An action that ends on a page; an error is said there, on the row it is about."""

    async def answer(request: Request) -> Response:
        body = b""
        try:
            async for part in request.stream():
                body += part
                if len(body) > _LONGEST_FORM:
                    return Response(status_code=413)
        except ClientDisconnect:  # a tab that was closed; nobody hears what is answered
            return Response(status_code=400)
        form = Form(parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True))
        session = session_of(request)
        try:
            to = await run_in_threadpool(action, session, form)
        except SqlfuncsError as error:
            session.message, session.is_bad_news = str(error), True
            page = _AFTER_AN_ERROR.get(request.url.path, "/")
            what = again(form) if page == "/" else {}
            to = view_models.address(page, view_models.wanted(form.flat), **what)
        return RedirectResponse(to, 303)

    return answer


def reviewer_name(given: str) -> str:
    """A name as it is noted in the log. Raises BadInput for none, and for the machine's.

    >>> reviewer_name("  Ann  O'Neill ")
    "Ann O'Neill"
    """
    name = " ".join(given.split())[:_LONGEST_NAME]
    if not name or not name.isprintable():
        raise BadInput("a reviewer needs a name")
    if name == MACHINE:
        raise BadInput(f"{MACHINE} is no reviewer: its decisions wait for a person's")
    if APPLIED in name:
        raise BadInput(
            f"a reviewer's name cannot have {APPLIED!r} in it: reasons tell by that who did it"
        )
    return name


def _in_short(decision: Decision) -> str:
    match decision.action:
        case "relabel":
            return f"{decision.key}: now {in_short(decision.new_label)}."
        case "keep":
            return f"{decision.key}: kept."
        case "exclude":
            return f"{decision.key}: excluded."
    return f"{decision.key}: left for later."
