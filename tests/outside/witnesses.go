package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// Cosignatures (C2SP tlog-cosignature) are of a kind that sumdb/note leaves to its callers: the key
// has the algorithm 4, and the signature a time in front. The package still parses the note, picks
// the lines by name and key hash, and refuses a signature that does not hold.
const (
	algorithmCosignature = 4
	timeBytes            = 8
)

type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }

func (w witness) Verify(msg, sig []byte) bool {
	if len(sig) != timeBytes+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(sig[:timeBytes])
	text := fmt.Sprintf("cosignature/v1\ntime %d\n%s", at, msg)
	return ed25519.Verify(w.key, []byte(text), sig[timeBytes:])
}

// readWitnesses reads one verifier key a line, NAME+HASH+KEY.
func readWitnesses(path string) ([]witness, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	var found []witness
	for _, line := range strings.Split(strings.TrimRight(string(data), "\n"), "\n") {
		parts := strings.SplitN(line, "+", 3)
		if len(parts) != 3 || parts[0] == "" {
			return nil, refuse(reasonKey, "%s: NAME+HASH+KEY expected", path)
		}
		raw, err := base64.StdEncoding.DecodeString(parts[2])
		if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != algorithmCosignature {
			return nil, refuse(reasonKey, "%s: %s is no key of a witness", path, parts[0])
		}
		digest := sha256.Sum256(append([]byte(parts[0]+"\n"), raw...))
		hash := binary.BigEndian.Uint32(digest[:4])
		if fmt.Sprintf("%08x", hash) != parts[1] {
			return nil, refuse(reasonKey, "%s: the hash of %s differs", path, parts[0])
		}
		found = append(found, witness{parts[0], hash, ed25519.PublicKey(raw[1:])})
	}
	return found, nil
}

// runCosigned judges a checkpoint, alone or of a dossier: a key of the log and so many witnesses.
func runCosigned(keys keyring, arguments []string) (string, error) {
	witnesses, err := readWitnesses(arguments[0])
	if err != nil {
		return "", err
	}
	quorum, err := parseNumber(arguments[1])
	if err != nil {
		return "", refuse(reasonKey, "quorum %q", arguments[1])
	}
	data, err := read(arguments[2])
	if err != nil {
		return "", err
	}
	head, err := openCheckpoint(keys, data)
	if err != nil {
		return "", err
	}
	// Two names of one key are one witness.
	signed := map[string]bool{}
	for _, one := range witnesses {
		opened, err := note.Open(data, note.VerifierList(one))
		if _, unsigned := err.(*note.UnverifiedNoteError); unsigned {
			continue
		}
		if err != nil {
			return "", refuse(reasonSignature, "%v", err)
		}
		if len(opened.Sigs) > 0 {
			signed[string(one.key)] = true
		}
	}
	if int64(len(signed)) < quorum {
		return "", refuse(reasonQuorum, "%d of %d witnesses have signed", len(signed), quorum)
	}
	return fmt.Sprintf("witnesses=%d %s", len(signed), head), nil
}
