"""Texts of dossiers: faults, refusals, and the sheets of instructions that travel in the zip.

Invariants:
1. Every kind of fault has its Italian sentence, with the same placeholders (tested).
2. The commands in the sheets need nothing of this program but its last one (tested: they run).

Source: ledger.evidence.dossier; docs/formats/dossier.md.
"""

import datetime as dt
from collections.abc import Mapping
from string import Template
from typing import Final

from app.output.format import day
from app.texts.text import Lang, Text, render
from app.texts.values import facts_in
from app.texts.words import word
from ledger.evidence.checkpoint import Checkpoint
from ledger.evidence.dossier.faults import Fault
from ledger.evidence.dossier.format import INSTRUCTIONS, Question

FAULT_NAMES: Final[Mapping[str, Text]] = {
    "container": Text(it="file zip", en="zip file"),
    "manifest": Text(it="elenco delle impronte", en="manifest"),
    "missing": Text(it="manca", en="missing"),
    "unlisted": Text(it="fuori elenco", en="not listed"),
    "digest": Text(it="file cambiato", en="file changed"),
    "stray": Text(it="file di troppo", en="file too many"),
    "form": Text(it="file illeggibile", en="unreadable file"),
    "key": Text(it="chiave del registro", en="key of the log"),
    "signature": Text(it="firma", en="signature"),
    "quorum": Text(it="testimoni", en="witnesses"),
    "ledger": Text(it="identità del registro", en="identity of the ledger"),
    "leaf": Text(it="foglia", en="leaf"),
    "proof": Text(it="prova di inclusione", en="inclusion proof"),
    "commitment": Text(it="registrazione cambiata", en="record changed"),
    "content": Text(it="contenuto cambiato", en="content changed"),
    "derived": Text(it="non corrisponde", en="does not correspond"),
    "schema": Text(it="schema", en="schema"),
    "stream": Text(it="ordine nel flusso", en="order in the stream"),
    "consistency": Text(it="continuità del registro", en="continuity of the log"),
    "fact": Text(it="fatto non provato", en="fact not proved"),
    "claim": Text(it="cifra diversa", en="different figure"),
}

FAULTS_IT: Final[Mapping[str, str]] = {
    "container": "lo zip non è come questo programma li scrive: {reason}",
    "manifest": "l'elenco è malformato: {reason}",
    "missing": "non c'è",
    "unlisted": "non è nell'elenco delle impronte",
    "digest": "il suo SHA-256 è {found}, l'elenco dice {expected}",
    "stray": "nulla nel fascicolo lo richiede",
    "form": "non si può leggere: {reason}",
    "key": "non contiene una chiave utilizzabile del registro: {reason}",
    "signature": "la firma non regge: {reason}",
    "quorum": "l'hanno firmato {found} testimoni della politica, che ne chiede {expected}",
    "ledger": "{what} è {found}, atteso {expected}",
    "leaf": "non è la foglia della sua registrazione: {reason}",
    "proof": "non porta alla radice del sigillo: {reason}",
    "commitment": "il suo SHA-256 è {found}, la foglia dice {expected}",
    "content": "contenuto e sale non danno la preimmagine: {reason}",
    "derived": "non è quello che dice la registrazione",
    "schema": "non dà l'identità del suo schema: {reason}",
    "stream": "flusso {stream}, versione {version}: {reason}",
    "consistency": "il registro non continua il sigillo precedente: {reason}",
    "fact": "il suo blocco non lo prova: {reason}",
    "claim": "{code}: {field} è {found}, le registrazioni danno {expected}",
}
"""Italian sentence of each kind of `ledger.evidence.dossier.faults.FAULTS`."""

_REASONS_IT: Final[Mapping[str, str]] = {
    "packed anew, or with bytes of no member": "rifatto, o con byte che non sono di nessun file",
    "the names are not in order": "i nomi non sono in ordine",
    "nested too deeply": "troppi livelli uno dentro l'altro",
    "it carries another checkpoint": "porta un altro sigillo",
    "other bytes were committed to": "furono registrati altri byte",
    "its block is not proved": "il suo blocco non è provato",
    "there is no empty line": "manca la riga vuota",
    "a step is not base64": "un passo non è in base64",
    "a step is no digest": "un passo non è un'impronta",
    "not UTF-8": "non è UTF-8",
    "the last line is cut off": "l'ultima riga è troncata",
    "not written in its one form": "non è scritto nella sua unica forma",
    "records or facts are out of order, or named twice": (
        "registrazioni o fatti fuori ordine, o nominati due volte"
    ),
    "one key a line is expected": "attesa una chiave per riga",
    "there are two records of this version": "ci sono due registrazioni di questa versione",
    "the record in front of it is not shown": "la registrazione che la precede non è mostrata",
    "it stands before an older version": "sta prima di una versione più vecchia",
    "there is nothing in it": "è vuoto",
    "File is not a zip file": "non è un file zip",
}

REFUSALS: Final[Mapping[str, Text]] = {
    "record_unsealed": Text(
        it="la registrazione non è ancora sigillata: eseguire `registro seal`",
        en="the record is not sealed yet: run `registro seal`",
    ),
    "record_differs": Text(
        it="la registrazione non è quella sigillata: eseguire `registro verify` e seguire "
        "docs/it/discrepanza.md",
        en="the record is not the one that was sealed: run `registro verify` and follow "
        "docs/operating.md",
    ),
    "no_such_fact": Text(
        it="il blocco non ha un fatto con questo indice: ne ha {count}, contati da 0",
        en="the block has no fact of this index: it has {count}, counted from 0",
    ),
    "log_differs": Text(
        it="le foglie non danno la radice del sigillo: eseguire `registro verify --source tiles`",
        en="the leaves do not give the checkpoint's root: run `registro verify --source tiles`",
    ),
    "since_differs": Text(
        it="il registro non continua questo sigillo: seguire docs/it/discrepanza.md",
        en="the log does not continue this checkpoint: follow docs/operating.md",
    ),
}
"""What to do about each reason of `DossierRefusedError`."""


def fault_name(kind: str, lang: Lang) -> str:
    """Return the name of a kind of fault."""
    return word(FAULT_NAMES, kind, lang)


def fault_text(fault: Fault, lang: Lang) -> str:
    """Return what is wrong."""
    if lang == "en":
        return fault.detail
    facts = {
        name: _REASONS_IT.get(fact) or _italian(fact) if name == "reason" else fact
        for name, fact in fault.facts.items()
    }
    return render(FAULTS_IT[fault.kind], facts)


def _italian(reason: str) -> str:
    """Return a reason that other checks give too, in Italian as far as it is known."""
    return facts_in({"reason": reason}, "it")["reason"]


def refusal_text(reason: str, facts: Mapping[str, str], lang: Lang) -> str:
    """Return why a dossier cannot be made, and what to do."""
    return render(word(REFUSALS, reason, lang), facts)


PROGRAM: Final = """\
import base64, hashlib, hmac, pathlib, sys

def need(ok, what):
    if not ok:
        sys.exit("NO: " + what)

def h(data):
    return hashlib.sha256(data).digest()

note = pathlib.Path("checkpoint").read_bytes()
size, root = note.decode().split("\\n")[1:3]
size, root = int(size), base64.b64decode(root)
leaves = sorted(pathlib.Path("records").glob("*.leaf"))
need(leaves, "records")
for path in leaves:
    leaf, preimage = path.read_bytes(), path.with_suffix(".preimage").read_bytes()
    head, kept = path.with_suffix(".tlog-proof").read_bytes().split(b"\\n\\n", 1)
    lines = head.decode().split("\\n")
    index = int(lines[1].removeprefix("index "))
    need(kept == note, f"{path.stem}: checkpoint")
    need(len(leaf) == 58 and h(preimage) == leaf[26:], f"{path.stem}: commitment")
    need(index == int(path.stem) - 1 == int.from_bytes(leaf[17:25], "big") - 1, path.stem)
    node, place, last = h(b"\\0" + leaf), index, size - 1
    for step in map(base64.b64decode, lines[2:]):
        if place % 2 or place == last:
            node = h(b"\\1" + step + node)
            while place % 2 == 0 and place:
                place, last = place // 2, last // 2
        else:
            node = h(b"\\1" + node + step)
        place, last = place // 2, last // 2
    need(last == 0 and node == root, f"{path.stem}: root")
    body = path.with_suffix(".body")
    if body.exists():
        salt = path.with_suffix(".salt").read_bytes()
        key = hmac.digest(salt, b"registro/salt/inner/v1", "sha256")
        inner = h(b"\\0" + h(key + bytes(4)) + body.read_bytes())
        need(inner == preimage[-32:], f"{path.stem}: body")
print("OK", len(leaves))
"""
"""Checks commitments, proofs and bodies with the standard library alone."""

_SHEET_IT: Final = Template("""\
FASCICOLO DI PROVA${sandbox}

Che cosa contiene: cifre di un ente pubblico, le registrazioni da cui dipendono e le prove che
queste stanno nel registro sigillato. Si verifica senza il registro e senza rete.

  registro     $origin
  ente         $body
  anno         $year
  noto al      $as_of
  sigillo      $size registrazioni, radice $root
  indicatori   $codes

I FILE

  dossier.json          che cosa si afferma, e su quali registrazioni
  checkpoint            il sigillo: testa firmata del registro
  log.vkey, log.pem     la chiave pubblica, in due forme
  records/N.json        la registrazione N, da leggere
  records/N.preimage    tutto ciò che l'impegno della registrazione copre
  records/N.leaf        la foglia: gli ultimi 32 byte sono lo SHA-256 della preimmagine
  records/N.tlog-proof  la prova che la foglia sta sotto la radice del sigillo
  records/N.body, .salt contenuto e sale; mancano dove si mostra solo che la registrazione c'è
  facts/N.I.*           singoli fatti di un blocco, uno per uno
  schemas/*.avsc        gli schemi: lo SHA-256 di ciascuno è il suo nome

LA VERIFICA, PASSO PER PASSO

0. Confrontare lo SHA-256 del file zip con quello comunicato per altra via:

     sha256sum FASCICOLO.zip

1. Estrarre in una cartella vuota e controllare che nessun file sia cambiato:

     unzip FASCICOLO.zip -d fascicolo && cd fascicolo
     sha256sum -c MANIFEST.sha256

2. Confrontare log.vkey con la chiave pubblica avuta dall'ente per altra via (non da questo zip).
   Poi controllare la firma del sigillo:

     openssl pkeyutl -verify -pubin -inkey log.pem \\
       -rawin -in checkpoint.text -sigfile checkpoint.sig

   checkpoint deve cominciare con le righe di checkpoint.text:

     head -c "$$(wc -c < checkpoint.text)" checkpoint | cmp - checkpoint.text

3. Controllare registrazioni, foglie e prove con il solo Python (nessun altro programma):

python3 - <<'FINE'
${program}FINE

   Deve rispondere OK e il numero delle registrazioni.
$stamp
4. Con il programma registro, che ricalcola anche le cifre dalle registrazioni:

     registro dossier check FASCICOLO.zip --vkey CHIAVE_AVUTA_PER_ALTRA_VIA

CHE COSA NON PROVA

- Che il contenuto fosse vero quando fu registrato.
- Che non esistano altre registrazioni sullo stesso oggetto: di ogni registrazione si mostra quella
  che la precede nel suo flusso; l'assenza di altre si vede solo sul registro intero.
- Che il sigillo sia l'unico: chi tiene la chiave potrebbe averne firmati due. Conservarne una copia
  e chiedere, al prossimo fascicolo, la prova che il registro la continua (--since).
""")

_SHEET_EN: Final = Template("""\
DOSSIER OF PROOF${sandbox}

What is in it: figures of a public body, the records they rest on, and proofs that these stand in
the sealed ledger. It is checked without the ledger and without a network.

  ledger       $origin
  body         $body
  year         $year
  known on     $as_of
  checkpoint   $size records, root $root
  indicators   $codes

THE FILES

  dossier.json          what is claimed, and on which records
  checkpoint            the signed head of the ledger
  log.vkey, log.pem     the public key, in two forms
  records/N.json        record N, to be read
  records/N.preimage    everything that the record's commitment covers
  records/N.leaf        the leaf: its last 32 bytes are the SHA-256 of the preimage
  records/N.tlog-proof  the proof that the leaf is under the checkpoint's root
  records/N.body, .salt content and salt; absent where a record is only shown to be there
  facts/N.I.*           single facts of a block
  schemas/*.avsc        the schemas: the SHA-256 of each is its name

THE CHECK, STEP BY STEP

0. Compare the SHA-256 of the zip file with the one told by another way:

     sha256sum DOSSIER.zip

1. Unpack into an empty folder and check that no file has changed:

     unzip DOSSIER.zip -d dossier && cd dossier
     sha256sum -c MANIFEST.sha256

2. Compare log.vkey with the public key had from the body by another way (not from this zip).
   Then check the signature of the checkpoint:

     openssl pkeyutl -verify -pubin -inkey log.pem \\
       -rawin -in checkpoint.text -sigfile checkpoint.sig

   checkpoint must begin with the lines of checkpoint.text:

     head -c "$$(wc -c < checkpoint.text)" checkpoint | cmp - checkpoint.text

3. Check records, leaves and proofs with Python alone (no other program):

python3 - <<'END'
${program}END

   It must answer OK and the number of records.
$stamp
4. With the program registro, which also computes the figures again from the records:

     registro dossier check DOSSIER.zip --vkey KEY_HAD_BY_ANOTHER_WAY

WHAT IT DOES NOT PROVE

- That the content was true when it was recorded.
- That there are no other records about the same thing: of each record the one in front of it in its
  stream is shown; that there are no others shows only on the whole ledger.
- That the checkpoint is the only one: whoever holds the key could have signed two. Keep a copy, and
  ask with the next dossier for the proof that the ledger continues it (--since).
""")

_STAMP: Final = Text(
    it="""
   La marca temporale del sigillo (CA.pem: certificati di chi l'ha emessa):

     openssl ts -verify -data checkpoint -in checkpoint.tsr -CAfile CA.pem
""",
    en="""
   The timestamp of the checkpoint (CA.pem: certificates of who issued it):

     openssl ts -verify -data checkpoint -in checkpoint.tsr -CAfile CA.pem
""",
)


def instructions(asked: Question, head: Checkpoint, *, stamped: bool) -> dict[str, bytes]:
    """Return the sheets of instructions by name of the member.

    Args:
        asked: what the dossier is about.
        head: its checkpoint.
        stamped: whether a timestamp is in it.
    """
    sheets: tuple[tuple[Lang, Template], ...] = (("en", _SHEET_EN), ("it", _SHEET_IT))
    return {
        name: sheet.substitute(
            sandbox=_SANDBOX.in_(lang) if asked.sandbox else "",
            origin=asked.origin,
            body=asked.body or "-",
            year=asked.year or "-",
            as_of="-" if asked.as_of is None else day(dt.date.fromisoformat(asked.as_of), lang),
            size=head.size,
            root=head.root.hex(),
            codes=", ".join(claim.code for claim in asked.claims) or "-",
            program=PROGRAM,
            stamp=_STAMP.in_(lang) if stamped else "",
        ).encode()
        for name, (lang, sheet) in zip(INSTRUCTIONS, sheets, strict=True)
    }


_SANDBOX: Final = Text(
    it=" - REGISTRO DI PROVA: i dati non fanno fede",
    en=" - SANDBOX LEDGER: these data prove nothing",
)
