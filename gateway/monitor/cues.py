# SPDX-License-Identifier: MIT
"""Monitor: the state machine of cues. Pure: (state, rules, input, now) -> step.

    proposed -> confirmed -> sent -> executing -> done | failed
        \\___________\\__________\\_________\\___ withdrawn        (a device that moves is stopped)
        \\___________\\______________________ expired          (never after it was sent)

Movement starts only from confirmed. A look is confirmed by one person or by a supervisor's policy
for that sector and device, which always ends. A flight is confirmed by two distinct people, each
time; the person who proposed it may be one of them, and has to confirm it too. Other systems
confirm nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import isfinite

from gateway.model.actions.cue import (
    ConfirmCue,
    Cue,
    CueAct,
    CueChange,
    CueKind,
    CuePolicy,
    CueReport,
    CueState,
    DevicesLost,
    EndCuePolicy,
    ProposeCue,
    SetCuePolicy,
    WithdrawCue,
)

MAX_OPEN = 64  # cues that are not over; more are refused
MAX_POLICIES = 32
MAX_LASTS_US = 3_600_000_000  # a cue is void after an hour at most
MAX_POLICY_US = 12 * 3_600_000_000  # a shift
MAX_TEXT = 200  # characters of a name or a reason
PEOPLE_NEEDED = {CueKind.LOOK: 1, CueKind.FLY: 2}
# Identities that are no people: they propose, and confirm nothing.
_NOT_PEOPLE = ("connector:", "policy ", "system", "token ")

_NEXT_BY_DEVICE = {
    CueState.CONFIRMED: {CueState.SENT, CueState.FAILED},
    CueState.SENT: {CueState.EXECUTING, CueState.DONE, CueState.FAILED},
    CueState.EXECUTING: {CueState.DONE, CueState.FAILED},
}


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passes."""


CueInput = CueAct | CueReport | DevicesLost | Tick


@dataclass(frozen=True, slots=True)
class CueRules:
    """`devices`: the kinds of cue that each device (a connector's name) takes."""

    devices: dict[str, frozenset[CueKind]] = field(default_factory=dict)
    sectors: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Cues:
    """Open cues and policies by number. What is over is in the changes only."""

    open: dict[int, Cue] = field(default_factory=dict)
    policies: dict[int, CuePolicy] = field(default_factory=dict)
    last_id: int = 0


@dataclass(frozen=True, slots=True)
class CueStep:
    """`refused`: one line why the input changed nothing itself; time passed all the same."""

    state: Cues
    changes: tuple[CueChange, ...] = ()
    refused: str = ""


def step(state: Cues, rules: CueRules, given: CueInput, now_us: int) -> CueStep:
    """Time passes first: what expires by now is expired before the input counts."""
    state, expired = _expire(state, now_us)
    match given:
        case ProposeCue():
            after = _propose(state, rules, given, now_us)
        case ConfirmCue():
            after = _confirm(state, given, now_us)
        case WithdrawCue():
            after = _withdraw(state, given, now_us)
        case SetCuePolicy():
            after = _set_policy(state, rules, given, now_us)
        case EndCuePolicy():
            after = _end_policy(state, given, now_us)
        case CueReport():
            after = _report(state, given, now_us)
        case DevicesLost():
            after = _lost(state, given, now_us)
        case Tick():
            after = CueStep(state)
    return replace(after, changes=(*expired, *after.changes))


def _propose(state: Cues, rules: CueRules, act: ProposeCue, now_us: int) -> CueStep:
    if act.kind not in rules.devices.get(act.device, ()):
        return CueStep(state, refused=f"no device {act.device[:32]!r} takes {act.kind.value}")
    if not all(map(isfinite, (act.x_m, act.y_m, act.error_m))) or act.error_m < 0:
        return CueStep(state, refused="the place and its error must be finite numbers")
    if not 0 < act.lasts_us <= MAX_LASTS_US:
        return CueStep(state, refused="a cue lasts an hour at most")
    if act.sector and act.sector not in rules.sectors:
        return CueStep(state, refused=f"there is no sector {act.sector[:32]!r}")
    if not act.by or len(act.by) > MAX_TEXT:
        return CueStep(state, refused="a cue needs a name who proposes it")
    if len(state.open) >= MAX_OPEN:
        return CueStep(state, refused=f"{MAX_OPEN} cues are open: withdraw some")
    number = state.last_id + 1
    cue = Cue(
        number,
        act.device,
        act.kind,
        CueState.PROPOSED,
        act.alarm_id,
        act.x_m,
        act.y_m,
        act.error_m,
        now_us,
        act.by,
        now_us + act.lasts_us,
        now_us,
        sector=act.sector,
    )
    proposed = _put(replace(state, last_id=number), cue, now_us, act.by)
    policy = _policy_for(state, cue, now_us)
    if policy is None:
        return proposed
    sure = replace(
        cue,
        state=CueState.CONFIRMED,
        confirmed_by=(str(policy),),
        policy=policy.id,
        expires_us=min(cue.expires_us, policy.until_us),
    )
    confirmed = _put(proposed.state, sure, now_us, str(policy))
    return replace(confirmed, changes=(*proposed.changes, *confirmed.changes))


def _policy_for(state: Cues, cue: Cue, now_us: int) -> CuePolicy | None:
    if cue.kind is not CueKind.LOOK or not cue.sector:
        return None
    fits = (
        policy
        for policy in state.policies.values()
        if policy.sector == cue.sector
        and policy.device == cue.device
        and policy.from_us <= now_us < policy.until_us
    )
    return next(fits, None)


def _confirm(state: Cues, act: ConfirmCue, now_us: int) -> CueStep:
    cue = state.open.get(act.cue_id)
    if cue is None:
        return _no_cue(state, act.cue_id)
    if cue.state is not CueState.PROPOSED:
        return CueStep(state, refused=f"cue {cue.id} is {cue.state.value} already")
    person = act.by.strip()
    if not person or len(person) > MAX_TEXT or person.casefold().startswith(_NOT_PEOPLE):
        return CueStep(state, refused="only a person confirms a cue")
    if person.casefold() in {name.casefold() for name in cue.confirmed_by}:
        return CueStep(state, refused=f"{person} confirmed cue {cue.id} already: another must")
    people = (*cue.confirmed_by, person)
    enough = len(people) >= PEOPLE_NEEDED[cue.kind]
    after = CueState.CONFIRMED if enough else CueState.PROPOSED
    return _put(state, replace(cue, state=after, confirmed_by=people), now_us, person)


def _withdraw(state: Cues, act: WithdrawCue, now_us: int) -> CueStep:
    cue = state.open.get(act.cue_id)
    if cue is None:
        return _no_cue(state, act.cue_id)
    gone = replace(cue, state=CueState.WITHDRAWN, problem=act.reason[:MAX_TEXT])
    return _put(state, gone, now_us, act.by)


def _set_policy(state: Cues, rules: CueRules, act: SetCuePolicy, now_us: int) -> CueStep:
    if act.sector not in rules.sectors:
        return CueStep(state, refused=f"there is no sector {act.sector[:32]!r}")
    if CueKind.LOOK not in rules.devices.get(act.device, ()):
        return CueStep(state, refused=f"no device {act.device[:32]!r} takes look")
    if not now_us < act.until_us <= now_us + MAX_POLICY_US:
        return CueStep(state, refused="a policy ends within 12 hours")
    person, reason = act.by.strip(), act.reason[:MAX_TEXT]
    if not person or len(person) > MAX_TEXT or person.casefold().startswith(_NOT_PEOPLE):
        return CueStep(state, refused="only a person sets a policy")
    if len(state.policies) >= MAX_POLICIES:
        return CueStep(state, refused=f"{MAX_POLICIES} policies are in force: end some")
    number = state.last_id + 1
    policy = CuePolicy(number, person, reason, act.sector, act.device, now_us, act.until_us)
    policies = {**state.policies, number: policy}
    return CueStep(replace(state, policies=policies, last_id=number))


def _end_policy(state: Cues, act: EndCuePolicy, now_us: int) -> CueStep:
    if act.policy_id not in state.policies:
        return CueStep(state, refused=f"there is no policy {act.policy_id}")
    left = {number: one for number, one in state.policies.items() if number != act.policy_id}
    state = replace(state, policies=left)
    changes: list[CueChange] = []
    for cue in list(state.open.values()):
        if cue.policy == act.policy_id and cue.state is CueState.CONFIRMED:
            gone = replace(cue, state=CueState.WITHDRAWN, problem="its policy was ended")
            after = _put(state, gone, now_us, act.by)
            state, changes = after.state, [*changes, *after.changes]
    return CueStep(state, tuple(changes))


def _report(state: Cues, report: CueReport, now_us: int) -> CueStep:
    cue = state.open.get(report.cue_id)
    if cue is None:
        return _no_cue(state, report.cue_id)
    if report.state not in _NEXT_BY_DEVICE.get(cue.state, ()):
        return CueStep(
            state, refused=f"cue {cue.id} is {cue.state.value}: never {report.state.value} next"
        )
    after = replace(cue, state=report.state, problem=report.problem[:MAX_TEXT])
    return _put(state, after, now_us, cue.device)


def _lost(state: Cues, lost: DevicesLost, now_us: int) -> CueStep:
    changes: list[CueChange] = []
    for cue in list(state.open.values()):
        moving = cue.state in (CueState.SENT, CueState.EXECUTING)
        if moving and lost.device in ("", cue.device):
            failed = replace(cue, state=CueState.FAILED, problem="the gateway restarted meanwhile")
            after = _put(state, failed, now_us, "")
            state, changes = after.state, [*changes, *after.changes]
    return CueStep(state, tuple(changes))


def _expire(state: Cues, now_us: int) -> tuple[Cues, tuple[CueChange, ...]]:
    changes: list[CueChange] = []
    for cue in list(state.open.values()):
        waiting = cue.state in (CueState.PROPOSED, CueState.CONFIRMED)
        if waiting and now_us >= cue.expires_us:
            after = _put(state, replace(cue, state=CueState.EXPIRED), now_us, "")
            state, changes = after.state, [*changes, *after.changes]
    left = {number: one for number, one in state.policies.items() if now_us < one.until_us}
    if len(left) != len(state.policies):
        state = replace(state, policies=left)
    return state, tuple(changes)


def _put(state: Cues, cue: Cue, now_us: int, by: str) -> CueStep:
    cue = replace(cue, changed_us=now_us)
    still = {number: one for number, one in state.open.items() if number != cue.id}
    if not cue.state.final:
        still[cue.id] = cue
    return CueStep(replace(state, open=still), (CueChange(cue, now_us, by),))


def _no_cue(state: Cues, number: int) -> CueStep:
    return CueStep(state, refused=f"no cue {number} is open")
