"""View models of the desk: what is on the screen, as text that is safe to show.

Plain frozen dataclasses, so that Reflex can send them and components can be functions of them.
Every text that an agent had a hand in went through ``domain.visible.reveal``; instants are ISO
8601 texts, empty when there is none. Models that artifact viewers share are in ``json_models``
and ``change_models``: this module knows the viewers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agent_console.ui.components.change_models import ChangeView
from agent_console.ui.components.evidence_models import EvidenceView
from agent_console.ui.components.json_models import JsonView


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """A row of the list; ``work`` is the job's type and what it is for.

    ``label`` is the accessible name of its link; a ``note`` asks nothing. One that is ``gone`` has
    left the list, which holds still for the moment.
    """

    id: str
    href: str
    label: str
    message: str
    work: str
    type: str
    type_tone: str
    type_word: str
    status: str
    note: bool
    pending: bool
    created_at: str
    expires_at: str
    decided_at: str
    claimed_by: str = ""
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoView:
    """The last decision of the person at the screen, and until when it can be taken back."""

    text: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TabView:
    """A filter of the list, as a link."""

    label: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """What speaks against the request; ``location`` is empty when it is about all of it."""

    key: str = ""
    severity: str = ""
    tone: str = ""
    rule: str = ""
    message: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyView:
    """What was asked: everything the payload digest covers, and the agent's words. Never changes.

    The notes say how many characters would not have been visible. ``since`` is what differs from
    the round before, ``since_word`` names that; both are empty in a first round. A ``question``
    wants an answer, not a yes.
    """

    id: str = ""
    digest: str = ""
    label: str = ""
    job_id: str = ""
    job_href: str = ""
    job_type: str = ""
    type: str = ""
    note: bool = False
    action: str = ""
    message: str = ""
    message_note: str = ""
    hidden_note: str = ""
    changes: list[ChangeView] = field(default_factory=list)
    summary: str = ""
    uninspectable: bool = False
    findings: list[FindingView] = field(default_factory=list)
    risk: str = ""
    evidence: EvidenceView = field(default_factory=EvidenceView)
    data: JsonView = field(default_factory=JsonView)
    metadata: JsonView = field(default_factory=JsonView)
    requester: str = ""
    task: str = ""
    created_at: str = ""
    editable: bool = False
    edit_text: str = ""
    href: str = ""
    round_word: str = ""
    since: list[ChangeView] = field(default_factory=list)
    since_word: str = ""
    question: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundView:
    """A round of a proposal: what was said to it, by whom; ``current`` is the one on the card."""

    id: str = ""
    href: str = ""
    name: str = ""
    status: str = ""
    who: str = ""
    said: str = ""
    at: str = ""
    current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteView:
    """What one person said, of several who have to; ``own`` is the reader's."""

    key: str = ""
    who: str = ""
    verb: str = ""
    tone: str = ""
    said: str = ""
    at: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedView:
    """The review policy of a card in words: who is asked, and what comes of it.

    ``approvals`` is empty where one person decides; ``why_not_again`` says that the reader has
    approved already. ``by_itself`` says what a rule on automatic approval had to do with it; where
    one approved it, ``stops_…`` are the policy that can be stopped. ``edit_text`` is what the last
    of them would let run instead.
    """

    who: str = ""
    approvals: str = ""
    at_deadline: str = ""
    policy: str = ""
    policy_href: str = ""
    by_itself: str = ""
    stops_type: str = ""
    stops_action: str = ""
    stop_refusal: str = ""
    why_not_again: str = ""
    edit_text: str = ""
    votes: list[VoteView] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulingView:
    """Where the checkpoint stands, and what the person at the screen may do about it.

    ``changes_refusal`` is why nobody may request changes; ``rounds`` is empty while there is one.
    ``claimed_by`` is empty while nobody has claimed it; ``watched`` says who else looks at it;
    ``moved`` names what is not as it was when this was asked. An answer that is a sentence is in
    ``answer_text``, any other in ``answer``.
    """

    id: str = ""
    status: str = ""
    pending: bool = False
    may_decide: bool = False
    refusal: str = ""
    self_approval: bool = False
    changes_refusal: str = ""
    rounds: list[RoundView] = field(default_factory=list)
    expires_at: str = ""
    headline: str = ""
    tone: str = "gray"
    decided_at: str = ""
    reason: str = ""
    feedback: str = ""
    edited: JsonView = field(default_factory=JsonView)
    was_edited: bool = False
    answer: JsonView = field(default_factory=JsonView)
    answer_text: str = ""
    claimed_by: str = ""
    claimed_until: str = ""
    claim_own: bool = False
    may_claim: bool = False
    asked: AskedView = field(default_factory=AskedView)
    watched: str = ""
    moved: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogView:
    """A line of the log tail."""

    id: str
    at: str
    level: str
    tone: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactView:
    """An artifact of the job."""

    id: str
    name: str
    kind: str
    size: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextView:
    """The job around the checkpoint, as it is now."""

    job_status: str = ""
    attempt: str = ""
    progress: str = ""
    logs: list[LogView] = field(default_factory=list)
    artifacts: list[ArtifactView] = field(default_factory=list)
