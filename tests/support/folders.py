"""Small data folders: every table of format 1 with a handful of rows, and ways to damage them.

`SMALL` is a made-up cycle of 2023 for the body of `tests.support.ledgers.new_ledger`; `ACI_2024`
and `ACI_2025` are two made-up years of another body, without catalogue. The figures are round, so
that a reader computes the replay by hand.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from ledger.application import LedgerApplication
from ledger.feed import RecordedEvent, read_all
from projections.cycle.replay import Replay, replay
from tests.support.dataset import write_folder

OBJECTIVES_HEADER = (
    "year,code,level,parent_code,label,weight_pct,direction,unit,target,result_pre,result_closing,"
    "as_of_pre,as_of_closing,result_basis,weight_basis,planned_on,locator\n"
)
FIGURES_HEADER = (
    "figure_id,document,label,raw,value,unit,decimals,vintage,as_of,ref_from,ref_to,locator\n"
)
FLOWS_HEADER = (
    "node_code,parent_code,label,sign,target,target_as_of,pre_closing,pre_as_of,closing,"
    "closing_as_of\n"
)
UNITS_HEADER = "record,unit_type,count,code,name,parent_code\n"
GUIDELINES_HEADER = (
    "year,code,label,class,oge_code,programme_codes,status_pct,footnote,reason_code,locator\n"
)
ACTS_HEADER = "organ,act_type,number,adopted_on,subject,effective_from\n"
DOCUMENTS_HEADER = "document,tag,title,published_on,act,vintage\n"

SMALL: Mapping[str, str] = {
    "catalogue.toml": """format = 1

[plan]
act = "CdA/resolution/14/2023-01-30"

[[indicator]]
code = "P"
rule = "DR4"
formula = { op = "weighted_mean", part = "value" }
""",
    "acts.csv": ACTS_HEADER
    + """CdA,resolution,14,2023-01-30,piano,2023-01-30
CdA,resolution,30,2024-06-14,relazione,2024-06-14
Parliament,law,,2023-07-31,"legge, con virgola",2023-08-01
""",
    "documents.csv": DOCUMENTS_HEADER
    + """ra,000,Relazione sulle attività,2024-03-01,,PRE_CONSUNTIVO
rp,001,"Relazione, performance",2024-06-14,CdA resolution 30 of 2024-06-14,CONSUNTIVO
""",
    "units.csv": UNITS_HEADER
    + """TYPE,DR,20,,Direzioni regionali,
UNIT,DG,,DG,Direzione generale,
UNIT,DC,,DC1,Organizzazione,DG
UNIT,DC,,DC2,Acquisti,DG
UNIT,UF,,UF1,Gare,DC2
""",
    "ieep.csv": FLOWS_HEADER
    + """A,,Accertato,+,1000,2024-03-01,1100,2024-03-01,1200,2024-06-14
A.1,A,Contributi,+,700,2024-03-01,800,2024-03-01,900,2024-06-14
A.2,A,Rimborsi,-,300,2024-03-01,300,2024-03-01,330,2024-06-14
""",
    "objectives.csv": OBJECTIVES_HEADER
    + """2023,P,INDICATOR,,Performance,,up,index,100,,106.00,,2024-06-14,computed,,2023-01-30,l1
2023,P.1,OGE,P,Servizi,60,up,index,100,100.00,110.00,2024-03-01,2024-06-14,measured,published,2023-01-30,l2
2023,P.2,OGE,P,Tempi,40,up,index,100,90.00,100.00,2024-03-01,2024-06-14,measured,published,2023-01-30,l3
2023,P.1.1,LEAF,P.1,Sportelli,,up,percent,80,,88,,2024-06-14,measured,unpublished,2023-01-30,l4
2023,P.2.1,LEAF,P.2,Giorni,,down,days,30,,27,,2024-06-14,measured,unpublished,2023-01-30,l5
2023,IEEP.A,INDICATOR,,Accertato,,up,EUR,1000,1100,1200,2024-03-01,2024-06-14,measured,,2024-03-01,l6
2023,G.1,LGG,P.1,Semplificazione,,up,percent,100,,75,,2024-06-14,measured,,2023-01-30,l7
2023,G.2,LGG,,Osservatorio,,up,percent,100,,,,,measured,,2023-01-30,l8
""",
    "guidelines.csv": GUIDELINES_HEADER
    + """2023,G.1,Semplificazione,OGE,P.1,1.1 2.1,75.00,*,,l9
2023,G.2,Osservatorio,SP,,3.1,,**,MISSING_LEGAL_BASIS,l10
""",
    "figures.csv": FIGURES_HEADER
    + """rp.p1,rp,Servizi,"110,00",110.00,index,2,CONSUNTIVO,2024-06-14,2023-01-01,2023-12-31,l11
rp.p2,rp,Tempi,"100,00",100.00,index,2,CONSUNTIVO,2024-06-14,2023-01-01,2023-12-31,l12
rp.somma,rp,Somma,"210,00",210.00,index,2,CONSUNTIVO,2024-06-14,2023-01-01,2023-12-31,l13
""",
    "relations.csv": """relation_id,kind,result,operands,params,note
somma,sum,rp.somma,+rp.p1 +rp.p2,,l14
""",
    "risk_matrix.csv": """scope,measure_type,measures,locator
central,control,11,l15
territorial,control,7,l16
""",
    "risk_activity.csv": """activity,scope,risk_level,risks,locator
identified,central,high,4,l17
identified,central,,2,l18
""",
}
"""Files of the small folder, by name."""

SMALL_ROWS: Mapping[str, int] = {
    name: text.count("\n") - 1
    for name, text in SMALL.items()
    if name.endswith(".csv") and name != "relations.csv"
}
"""Rows that give events, by file."""

ACI_2024: Mapping[str, str] = {
    "acts.csv": ACTS_HEADER
    + """CD,delibera,7,2024-01-31,piano,2024-01-31
CD,delibera,9,2025-05-20,relazione,2025-05-20
""",
    "documents.csv": DOCUMENTS_HEADER
    + "rel24,,Relazione 2024,2025-05-20,CD delibera 9 of 2025-05-20,CONSUNTIVO\n",
    "units.csv": UNITS_HEADER
    + """TYPE,AC,100,,Automobile club,
UNIT,SEDE,,S,Sede centrale,
UNIT,SERV,,S.1,Servizio sistemi,S
UNIT,SERV,,S.2,Servizio acquisti,S
""",
    "ieep.csv": FLOWS_HEADER
    + """E,,Entrate,+,400,2024-01-31,,,500,2025-05-20
U,,Uscite,-,200,2024-01-31,,,150,2025-05-20
""",
    "objectives.csv": OBJECTIVES_HEADER
    + """2024,ENTE,AREA,,Ente,,up,points,100,,97.00,,2025-05-20,computed,,2024-01-31,
2024,SOCI,OBJ,ENTE,Soci,25,up,points,100,,88.00,,2025-05-20,measured,published,2024-01-31,
2024,PRA,OBJ,ENTE,Pratiche,75,up,points,100,,100.00,,2025-05-20,measured,published,2024-01-31,
2024,QUAL,AREA,,Qualità,,up,percent,,,2.50,,2025-05-20,computed,,2024-01-31,
2024,ATT,OBJ,QUAL,Attesa,50,down,days,20,,18,,2025-05-20,measured,published,2024-01-31,
2024,REC,OBJ,QUAL,Reclami,50,down,count,40,,42,,2025-05-20,measured,published,2024-01-31,
2024,CLIMA,AREA,,Clima,,up,score,,,3.67,,2025-05-20,computed,,2024-01-31,
2024,CLI.1,OBJ,CLIMA,Uno,,up,score,3,,3.00,,2025-05-20,measured,equal,2024-01-31,
2024,CLI.2,OBJ,CLIMA,Due,,up,score,3,,4.00,,2025-05-20,measured,equal,2024-01-31,
2024,CLI.3,OBJ,CLIMA,Tre,,up,score,3,,4.00,,2025-05-20,measured,equal,2024-01-31,
2024,TOT,AREA,,Totale,,up,index,100,,101.10,,2025-05-20,published,,2024-01-31,
""",
}
"""A year of another body, without catalogue: every definition is inferred."""

ACI_2025: Mapping[str, str] = {
    "acts.csv": ACI_2024["acts.csv"] + "CD,delibera,3,2026-05-12,relazione 2025,2026-05-12\n",
    "documents.csv": ACI_2024["documents.csv"]
    + "rel25,,Relazione 2025,2026-05-12,CD delibera 3 of 2026-05-12,CONSUNTIVO\n",
    "units.csv": UNITS_HEADER
    + """TYPE,AC,98,,Automobile club,
UNIT,SEDE,,S,Sede centrale,
UNIT,DIR,,S.1,Direzione sistemi,S
UNIT,SERV,,S.2,Servizio acquisti,S.1
UNIT,SERV,,S.3,Servizio studi,S
""",
    "objectives.csv": OBJECTIVES_HEADER
    + """2025,ENTE,AREA,,Ente,,up,points,100,,94.50,,2026-05-12,computed,,2025-01-31,
2025,SOCI,OBJ,ENTE,Soci,50,up,points,100,,91.00,,2026-05-12,measured,published,2025-01-31,
2025,PRA,OBJ,ENTE,Pratiche,50,up,points,100,,98.00,,2026-05-12,measured,published,2025-01-31,
2025,ATT,OBJ,,Attesa,,up,percent,90,,99,,2026-05-12,measured,,2025-01-31,
""",
}
"""The next year of it: acts and documents repeated, units reorganised, one method changed."""

Damage = Callable[[Path], None]
"""Changes a data folder in place."""


def small_folder(folder: Path, *files: str) -> Path:
    """Write the small folder, or only some files of it."""
    return write_folder(folder, {name: SMALL[name] for name in files or SMALL})


def line_of(folder: Path, file: str, number: int) -> bytes:
    """Return a physical line, 1-based, with its line end."""
    return (folder / file).read_bytes().splitlines(keepends=True)[number - 1]


def rewrite(file: str, change: Callable[[bytes], bytes]) -> Damage:
    """Return the damage that changes the bytes of a whole file."""

    def damage(folder: Path) -> None:
        path = folder / file
        before = path.read_bytes()
        after = change(before)
        assert after != before, f"{file} stays as it was"
        path.write_bytes(after)

    return damage


def in_line(file: str, number: int, old: str, new: str) -> Damage:
    """Return the damage that replaces a text standing exactly once in a line, 1-based."""

    def change(data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        line = lines[number - 1]
        assert line.count(old.encode()) == 1, f"{old!r} in {line!r}"
        lines[number - 1] = line.replace(old.encode(), new.encode())
        return b"".join(lines)

    return rewrite(file, change)


def cell(file: str, number: int, column: str, text: str) -> Damage:
    """Return the damage that puts a text, quoted when it must be, into a cell.

    Args:
        file: table without quoted commas before the column.
        number: physical line, 1-based.
        column: name of the column.
        text: new content; bytes of other cells stay as they are.
    """

    def change(data: bytes) -> bytes:
        lines = data.decode().splitlines(keepends=True)
        place = lines[0].rstrip("\r\n").split(",").index(column)
        cells = lines[number - 1].rstrip("\r\n").split(",")
        cells[place] = f'"{text}"' if "," in text else text
        lines[number - 1] = ",".join(cells) + "\n"
        return "".join(lines).encode()

    return rewrite(file, change)


def more(file: str, line: str) -> Damage:
    """Return the damage that adds a line at the end of a file."""
    return rewrite(file, lambda data: data + line.encode() + b"\n")


def both(*damages: Damage) -> Damage:
    """Return several damages as one."""

    def damage(folder: Path) -> None:
        for each in damages:
            each(folder)

    return damage


def events_of(ledger: LedgerApplication) -> tuple[RecordedEvent, ...]:
    """Return all events of a ledger."""
    return tuple(read_all(ledger))


def event_ids(ledger: LedgerApplication) -> set[str]:
    """Return the identifiers of all events of a ledger."""
    return {event.event_id for event in events_of(ledger)}


def replayed(ledger: LedgerApplication, year: int = 2023) -> Replay:
    """Replay a year with everything that is known."""
    return replay(events_of(ledger), year=year, as_of=None)


def known_facts(ledger: LedgerApplication) -> dict[str, tuple[object, object, object]]:
    """Return what the ledger says, by identifier of the event; positions and instants left out.

    The ledger's own events are left out: a ledger's identity differs from another's.
    """
    return {
        event.event_id: (event.stream, event.event, event.envelope)
        for event in events_of(ledger)
        if event.append.key.startswith("import/")
    }
