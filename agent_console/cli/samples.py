"""What ``seed`` makes: the invented papers, rows and files of a shop that hires out bicycles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agent_console.domain.context import NewContextDocument
from agent_console.domain.jobs import NewJob
from agent_console.domain.sessions import NewSession

PROJECT = "bicycle-shop"
FOLDER = "sample"  # in the workspace

PRICES = '''"""What hiring a bicycle costs."""

DAY = 18


def price(days: int) -> int:
    """Return the price in euros of hiring a bicycle for ``days`` days."""
    return DAY * days
'''
WEEKLY = '''"""What hiring a bicycle costs."""

DAY = 18
WEEK = 90


def price(days: int) -> int:
    """Return the price in euros of hiring a bicycle for ``days`` days; weeks are cheaper."""
    weeks, rest = divmod(days, 7)
    return WEEK * weeks + min(DAY * rest, WEEK)
'''
NOTES = (
    "# Prices\n\n- A day costs 18 euros.\n- Whoever keeps a bicycle for a week pays five days.\n"
)
DISCOUNT = '''"""Discounts for members."""


def discount(years: int) -> float:
    """Return the share of the price that a member of ``years`` years does not pay."""
    return min(0.02 * years, 0.2)
'''

HIRES: list[dict[str, Any]] = [
    {"customer": " ada north ", "bicycle": "city", "days": 3, "price": 18},
    {"customer": "GRACE VALE", "bicycle": "cargo", "days": 1, "price": 35},
    {"customer": "lin ember", "bicycle": "city", "days": 9, "price": 18},
    {"customer": "ada north", "bicycle": "tandem", "days": 2, "price": 40},
    {"customer": "noor hale", "bicycle": "cargo", "days": 5, "price": 35},
]
TIDY: list[dict[str, Any]] = [
    {"op": "trim", "fields": ["customer"]},
    {"op": "titlecase", "fields": ["customer"]},
    {"op": "multiply", "field": "price", "by": {"field": "days"}, "into": "total"},
]
LONG_HIRES = "days >= 3"
WISHES = "What do customers ask for?"
BROKEN: list[dict[str, Any]] = [{"op": "convert", "field": "customer", "to": "number"}]

SURVEY = NewContextDocument(
    title="Summer survey",
    project_id=PROJECT,
    content="""# Summer survey

In July 412 customers answered. 71 % hire a bicycle for one day, 29 % for longer.

## What they ask for

Most wishes concern cargo bicycles: 96 customers found none free on a Saturday. Child seats come
second with 58 wishes.

## What they praise

Staff explain the gears before every hire. Repairs on the way took 22 minutes on average.
""",
)
SURVEY_REVISED = (
    SURVEY.content + "\n## After the survey\n\nFour cargo bicycles were bought in August.\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A job and what becomes of it; ``hours_ago`` is when it was asked for.

    ``verdicts`` are given to its checkpoints one after the other, each ``approve`` or the reason
    of a rejection; ``then`` is done to the job at the end.
    """

    name: str
    hours_ago: float
    job: NewJob | NewSession
    verdicts: tuple[str, ...] = ()
    then: str = ""


APPROVE = "approve"


def _files(description: str, **files: str) -> dict[str, Any]:
    named = {name.replace("_", "."): text for name, text in files.items()}
    listed = [{"path": f"{FOLDER}/{name}", "content": text} for name, text in named.items()]
    return {"description": description, "files": listed}


def _code(description: str, priority: int = 5, **files: str) -> NewJob:
    return NewJob(
        job_type="code-generation",
        task_description=description,
        input_data=_files(description, **files),
        priority=priority,
    )


def _rows(description: str, operation: str, transform: Any) -> NewJob:
    data = {"operation": operation, "data": HIRES, "transform": transform}
    return NewJob(job_type="data-processing", task_description=description, input_data=data)


def _note(user: str, action: str, **fields: Any) -> NewJob:
    data: dict[str, Any] = {"userId": user, "action": action}
    return NewJob(
        job_type="simple-task",
        task_description=action.replace("-", " ").capitalize(),
        input_data=data,
        **fields,
    )


def _agent(kind: str, description: str, *questions: str, start: bool, document: str) -> NewSession:
    return NewSession(
        agent_type=kind,
        task_description=description,
        task_configuration={"topic": description, "questions": list(questions)},
        context_document_ids=(document,),
        approval_strategy="final_only",
        auto_execute=start,
    )


def samples(document: str, *, tomorrow: Any) -> list[Sample]:
    """Return all of them, oldest first; agents work from the context ``document``.

    ``tomorrow`` is when the jobs start that shall still wait for their turn.
    """
    return [*_done(document), *_on_the_desk(document), *_planned(tomorrow)]


def _done(document: str) -> list[Sample]:
    return [
        Sample(
            name="prices",
            hours_ago=71,
            job=_code("Say what a hire costs", prices_py=PRICES, PRICES_md=NOTES),
            verdicts=(APPROVE,),
        ),
        Sample(name="welcome", hours_ago=70, job=_note("user-7", "send-welcome-letter")),
        Sample(
            name="tidy",
            hours_ago=69,
            job=_rows("Tidy the hires of June and add them up", "transform", TIDY),
            verdicts=(APPROVE, APPROVE),
        ),
        Sample(
            name="forgotten",
            hours_ago=52,
            job=_code("Shorten the notes on prices", PRICES_md="# Prices\n"),
        ),
        Sample(
            name="survey",
            hours_ago=50,
            job=_agent(
                "research",
                "Wishes of customers",
                WISHES,
                "How long do repairs take?",
                start=True,
                document=document,
            ),
            verdicts=(APPROVE,),
        ),
        Sample(
            name="discount",
            hours_ago=26,
            job=_code("Members pay less every year", discount_py=DISCOUNT),
            verdicts=("Members get their discount at the counter; the prices stay as they are.",),
        ),
        Sample(
            name="broken",
            hours_ago=25,
            job=_rows("Number the customers", "transform", BROKEN),
        ),
        Sample(name="reminder", hours_ago=24, job=_note("user-12", "remind-of-return")),
        Sample(
            name="withdrawn",
            hours_ago=20,
            job=_code("Prices in dollars", prices_py=PRICES.replace("euros", "dollars")),
            then="cancel",
        ),
    ]


def _on_the_desk(document: str) -> list[Sample]:
    return [
        Sample(
            name="weekly",
            hours_ago=3,
            job=_code("A week costs five days", priority=8, prices_py=WEEKLY, PRICES_md=NOTES),
        ),
        Sample(
            name="long hires",
            hours_ago=2,
            job=_rows("Keep the hires of three days and more", "filter", LONG_HIRES),
        ),
        Sample(
            name="letter",
            hours_ago=1,
            job=_agent(
                "content", "A letter about the survey", WISHES, start=True, document=document
            ),
        ),
        Sample(
            name="report",
            hours_ago=0.5,
            job=_agent("reporting", "Report on the survey", WISHES, start=False, document=document),
        ),
    ]


def _planned(tomorrow: Any) -> list[Sample]:
    later = {"run_at": tomorrow}
    return [
        Sample(name="inspection", hours_ago=0, job=_note("user-3", "plan-inspection", **later)),
        Sample(
            name="held",
            hours_ago=0,
            job=_note("user-4", "order-spare-parts", **later),
            then="pause",
        ),
        Sample(
            name="again",
            hours_ago=0,
            job=_note("user-5", "print-price-list", **later),
            then="pause resume",
        ),
    ]
