"""The pages, and all routes. Starlette; knows a `Review` and nothing of engines."""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from sqlfuncs.browser_images import browser_type
from sqlfuncs.charts import shapes
from sqlfuncs.charts.pages import environment
from sqlfuncs.errors import BadInput
from sqlfuncs.review.decisions import Decision, as_csv, describe
from sqlfuncs.review.labels.base import number
from sqlfuncs.review.progress import by_reviewer, pace, wrong_by_steps
from sqlfuncs.review.queue import SORTS, STATES, Filter, neighbours_in
from sqlfuncs.review.review import Review
from sqlfuncs.review.source import FEWEST_RANDOM, Point
from sqlfuncs.review.web import view_models
from sqlfuncs.review.web.actions import Actions, posted
from sqlfuncs.review.web.guard import Guard, session_of

_PER_PAGE = 50
_DUPLICATES = 5
_PREVIEWED = 50
_STATIC = {"review.css": "text/css", "review.js": "text/javascript", "icon.svg": "image/svg+xml"}


@dataclass
class Pages:
    """The pages of one review."""

    review: Review

    def __post_init__(self) -> None:
        self._templates = environment("sqlfuncs.review.web")

    def app(self, actions: Actions) -> Starlette:
        """All routes. Each is run in a thread: numpy and DuckDB would hold up the others."""
        gets = {
            "/": self.row, "/list": self.rows, "/clean": self.clean, "/verify": self.verify,
            "/progress": self.progress,
            "/pulse": self.pulse, "/image": self.image, "/static/{name}": self.static,
            "/decisions.csv": self.decisions,
        }  # fmt: skip
        posts = {
            "/decide": actions.decide, "/undo": actions.undo, "/clean": actions.accept,
            "/verify": actions.release,
            "/learn": actions.learn, "/reviewer": actions.rename, "/invite": actions.invited,
        }  # fmt: skip
        app = Starlette(
            routes=[
                *(Route(path, _threaded(page), methods=["GET"]) for path, page in gets.items()),
                *(
                    Route(path, posted(action, actions.again), methods=["POST"])
                    for path, action in posts.items()
                ),
            ]
        )
        app.router.redirect_slashes = False  # to where nothing is: it does not know the path
        return app

    # Pages.

    def row(self, request: Request) -> Response:
        """One row."""
        wanted, who = view_models.wanted(request.query_params), session_of(request).reviewer
        place = self._asked(request)
        if place is None:
            place = self.review.next(wanted, who)
        if place is None:
            return self._page(request, "done.html", wanted, row=None)
        self.review.claim(place, who)
        row = view_models.row(self.review, place)
        typed = request.query_params.get("typed")
        order = self.review.queue.select(wanted)
        before, after = neighbours_in(order, place)
        alike = self.review.alike(place)
        return self._page(
            request, "row.html", wanted, row=row, before=before, after=after, alike=alike,
            shown=self._shown(place, typed), evidence=self._evidence(place),
            duplicates=self._duplicates(place, alike.duplicates) if alike else [],
            why=self.review.why(place),
            details=self.review.source.details(row.key), wanting=len(order),
            evidence_so_far=self.review.evidence() if wanted.sort == "verify" else None,
        )  # fmt: skip

    def _asked(self, request: Request) -> int | None:
        """The row that is asked for, by its place, or by its key as somebody has typed it."""
        query, session = request.query_params, session_of(request)
        if "row" in query:
            place = number(query["row"])
            if place is not None and place < len(self.review.queue.keys):
                return place
            session.message, session.is_bad_news = f"There is no row number {query['row']}.", True
        elif "at" in query:
            place = self.review.queue.place.get(query["at"])
            if place is None:
                session.message, session.is_bad_news = f"No row has the key {query['at']}.", True
            return place
        return None

    def _duplicates(self, place: int, alike: Sequence[int]) -> list[view_models.Row]:
        """Some rows that are nearly the same as one, those of another label first."""
        given = self.review.queue.given
        others = sorted(alike, key=lambda other: bool(given[other] == given[place]))
        return [view_models.row(self.review, other) for other in others[:_DUPLICATES]]

    def _shown(self, place: int, typed: str | None) -> object:
        """What the template of the kind of label shows; an address that is made up shows a page."""
        try:
            return self.review.queue.shown(place, typed)
        except BadInput:
            return self.review.queue.shown(place)

    def _evidence(self, place: int) -> list[tuple[str, list[tuple[view_models.Row, float]]]]:
        """What trusted rows are evidence for, and these."""
        return [
            (called, [(view_models.row(self.review, at), cosine) for at, cosine in found])
            for called, found in self.review.neighbours(place)
        ]

    def rows(self, request: Request) -> Response:
        """Many rows, densely."""
        wanted = view_models.wanted(request.query_params)
        order = self.review.queue.select(wanted)
        page = max(number(request.query_params.get("page")) or 1, 1)
        start = min((page - 1) * _PER_PAGE, max(len(order) - 1, 0) // _PER_PAGE * _PER_PAGE)
        rows = [view_models.row(self.review, int(p)) for p in order[start : start + _PER_PAGE]]
        return self._page(
            request, "list.html", wanted, rows=rows, start=start, wanting=len(order),
            page=start // _PER_PAGE + 1, pages=max(-(-len(order) // _PER_PAGE), 1),
        )  # fmt: skip

    def clean(self, request: Request) -> Response:
        """What accepting the suggestions of the worst rows would change."""
        wanted = view_models.wanted(request.query_params)
        asked = number(request.query_params.get("count"))
        count = 25 if asked is None else max(asked, 1)
        rows = [view_models.row(self.review, p) for p in self.review.clean(wanted, count)]
        return self._page(request, "clean.html", wanted, rows=rows, count=count)

    def verify(self, request: Request) -> Response:
        """Whether corrections may be applied, and which."""
        evidence, problem = self.review.evidence(), ""
        proposed: list[Decision] = []
        if len(evidence.verified.released):
            try:
                proposed = self.review.proposed()
            except BadInput as error:
                problem = str(error)
        places = [self.review.queue.place[each.key] for each in proposed[:_PREVIEWED]]
        rows = [view_models.row(self.review, place) for place in places]
        return self._page(
            request, "verify.html", view_models.wanted(request.query_params), evidence=evidence,
            proposed=len(proposed), previewed=list(
                zip(rows, map(self._new_parts, proposed), strict=False)
            ),
            problem=problem,
        )  # fmt: skip

    def _new_parts(self, proposed: Decision) -> Sequence[str]:
        return self.review.queue.labels.parts(proposed.new_label or "")

    def progress(self, request: Request) -> Response:
        """How far it is, and whether one may stop."""
        sample = self.review.queue.sample()
        points, problem = [], ""
        if len(sample) >= FEWEST_RANDOM:
            try:
                points = self.review.curve()
            except BadInput as error:
                problem = str(error)
        return self._page(
            request, "progress.html", view_models.wanted(request.query_params), points=points,
            sample=len(sample), fewest=FEWEST_RANDOM, curve=_curve(points),
            reviewers=by_reviewer(self.review.decisions.all),
            problem=problem, yields=wrong_by_steps(self.review.decisions),
        )  # fmt: skip

    def pulse(self, request: Request) -> Response:
        """What an open page asks for now and then."""
        key = self._key(request)
        decision = self.review.decisions.in_force(key)
        now = self.review.progress()
        return JSONResponse(
            {
                "version": self.review.decisions.version(key),
                "said": describe(decision) if decision else "",
                "progress": f"{now.decided:,} of {now.rows:,} decided",
                "learning": self.review.learning,
                "learned": self.review.learned_of,
                "rows": self.review.learned_rows,
            }
        )

    def image(self, request: Request) -> Response:
        """The image of a row, if it is one that browsers show safely."""
        found = self.review.source.image(self._key(request)) or b""
        kind = browser_type(found)
        return Response(found, media_type=kind) if kind else Response(status_code=404)

    def _key(self, request: Request) -> str:
        place, keys = number(request.query_params.get("row")), self.review.queue.keys
        return keys[place] if place is not None and place < len(keys) else ""

    def decisions(self, request: Request) -> Response:
        """The decision log as a file to save: if need be, instead of the one that is gone."""
        return Response(
            as_csv(self.review.decisions.all), media_type="text/csv",
            headers={"Content-Disposition": 'attachment; filename="decisions.csv"'},
        )  # fmt: skip

    def static(self, request: Request) -> Response:
        """The script and the style sheet."""
        name = request.path_params["name"]
        if name not in _STATIC:
            return Response(status_code=404)
        file = importlib.resources.files("sqlfuncs.review.web") / "static" / name
        return Response(
            file.read_bytes(), media_type=_STATIC[name], headers={"Cache-Control": "max-age=3600"}
        )

    # Rendering.

    def _page(self, request: Request, template: str, wanted: Filter, **what: object) -> Response:
        session = session_of(request)
        message, bad = session.message, session.is_bad_news
        session.message, session.is_bad_news = "", False
        names, cells = view_models.matrix(self.review, wanted)
        html = self._templates.get_template(template).render(
            title=self.review.source.title, reviewer=session.reviewer, message=message, bad=bad,
            wanted=wanted, address=view_models.address, replace=replace,
            hidden=view_models.hidden(wanted),
            now=self.review.progress(), pace=pace(self.review.decisions.all, session.reviewer),
            names=names, cells=cells, pairs=[] if names else self.review.queue.pairs(wanted),
            labels=self.review.queue.labels, states=STATES, sorts=SORTS, review=self.review,
            path=request.url.path, **what,
        )  # fmt: skip
        return HTMLResponse(html)


def guarded(review: Review, host: str, port: int) -> Guard:
    """The application for those who have a link."""
    at = "" if port == 80 else f":{port}"  # which browsers leave out
    hosts = frozenset({f"{host}{at}", f"localhost{at}", f"127.0.0.1{at}"})
    guard = Guard(hosts, f"sqlfuncs_review_{port}")
    actions = Actions(review, lambda reviewer: f"http://{host}:{port}{guard.link(reviewer)}")
    guard.app = Pages(review).app(actions)
    return guard


def _threaded(page: Callable[[Request], Response]) -> Callable[[Request], object]:
    async def answer(request: Request) -> Response:
        return await run_in_threadpool(page, request)

    return answer


def _curve(points: Sequence[Point]) -> shapes.Lines | None:
    """Wrong labels left by rows reviewed."""
    left = [
        shapes.Point(p.reviewed, p.errors_left, p.errors_left_low, p.errors_left_high)
        for p in points
    ]
    return shapes.lines([("left", left)])
