"""The rules about personal data and recorded replays in both languages.

Source: ledger.rules, docs/rules.md, docs/privacy.md.
"""

from typing import Final

from app.texts.rule_text import texts
from ledger.rules import Rule

PRIVACY: Final = {
    Rule.APPROVALS_MISSING: texts(
        title=("approvazioni mancanti", "approvals missing"),
        sentence=(
            (
                "la cancellazione di {subject} vuole l'approvazione di due uffici diversi; "
                "approvata da: {approvers}"
            ),
            (
                "the erasure of {subject} needs the approval of two different offices; "
                "approved by: {approvers}"
            ),
        ),
        hint=(
            "indicare i due uffici con --approver RUOLO@UNITÀ, ripetuto",
            "name the two offices with --approver ROLE@UNIT, repeated",
        ),
    ),
    Rule.SUBJECT_HELD: texts(
        title=("cancellazione bloccata", "erasure held"),
        sentence=(
            "il soggetto {subject} non si può cancellare: lo vieta un blocco ({holds})",
            "subject {subject} cannot be erased: a hold forbids it ({holds})",
        ),
        hint=(
            "attendere che il blocco finisca; `registro hold list` dice quale e da quando",
            "wait for the hold to end; `registro hold list` says which and since when",
        ),
    ),
    Rule.SUBJECT_ERASED: texts(
        title=("soggetto cancellato", "subject erased"),
        sentence=(
            (
                "il soggetto {subject} è stato cancellato il {date}: con il suo nome non si "
                "registra più nulla"
            ),
            "subject {subject} was erased on {date}: nothing is recorded under it any more",
        ),
        hint=(
            (
                "se la persona torna ad agire, il comando le assegna da sé un soggetto nuovo; se "
                "la chiave è rimasta, ripetere la cancellazione la distrugge"
            ),
            (
                "when the person acts again, the command gives a new subject by itself; when the "
                "key is still there, repeating the erasure destroys it"
            ),
        ),
    ),
    Rule.RETENTION_RUNNING: texts(
        title=("termine di conservazione in corso", "retention term running"),
        sentence=(
            (
                "il soggetto {subject} sta in registrazioni di tipo {event_type} da conservare "
                "fino al {until}"
            ),
            "subject {subject} stands in records of type {event_type} that are kept until {until}",
        ),
        hint=(
            (
                "attendere la fine del termine (`registro retention due`); un termine si cambia "
                "solo con un atto"
            ),
            "wait for the term to end (`registro retention due`); a term changes only under an act",
        ),
    ),
    Rule.RUN_CONTRADICTED: texts(
        title=("ricalcolo contraddittorio", "replay contradicted"),
        sentence=(
            (
                "il ricalcolo {run} ha letto le stesse registrazioni con lo stesso programma e ha "
                "dato {recorded}, non {stated}"
            ),
            (
                "run {run} read the same records with the same program and gave {recorded}, "
                "not {stated}"
            ),
        ),
        hint=(
            "ripetere quello registrato con `registro replay --check` e poi `registro verify`",
            "repeat the recorded one with `registro replay --check`, then `registro verify`",
        ),
    ),
}
"""The texts of these rules."""
