package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	proofHeader     = "c2sp.org/tlog-proof@v1"
	consistencyMax  = 63
	commitmentStart = leafBytes - tlog.HashSize
)

func emptyRoot() tlog.Hash { return sha256.Sum256(nil) }

func runInclusion(keys keyring, arguments []string) (string, error) {
	leaf, err := read(arguments[0])
	if err != nil {
		return "", err
	}
	proof, err := read(arguments[1])
	if err != nil {
		return "", err
	}
	index, head, err := checkInclusion(keys, leaf, proof)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("index=%d %s", index, head), nil
}

// checkInclusion reads a C2SP tlog-proof and lets sumdb/tlog judge it.
func checkInclusion(keys keyring, leaf, proof []byte) (int64, checkpoint, error) {
	none := checkpoint{}
	lines, rest, err := split(proof)
	if err != nil {
		return 0, none, err
	}
	if lines[0] != proofHeader {
		return 0, none, refuse(reasonProof, "the first line is not %s", proofHeader)
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return 0, none, refuse(reasonProof, "there is no index")
	}
	index, err := parseNumber(strings.TrimPrefix(lines[0], "index "))
	if err != nil {
		return 0, none, refuse(reasonProof, "index: %v", err)
	}
	steps, err := parseSteps(lines[1:])
	if err != nil {
		return 0, none, err
	}
	head, err := openCheckpoint(keys, rest)
	if err != nil {
		return 0, none, err
	}
	if index >= head.tree.N {
		return 0, none, refuse(reasonInclusion, "index %d of a tree of %d", index, head.tree.N)
	}
	if _, err := checkLeaf(leaf, index, nil); err != nil {
		return 0, none, refuse(reasonLeaf, "%v", err)
	}
	if err := tlog.CheckRecord(steps, head.tree.N, head.tree.Hash, index, tlog.RecordHash(leaf)); err != nil {
		return 0, none, refuse(reasonInclusion, "%v", err)
	}
	return index, head, nil
}

// split takes a file apart at its first empty line: lines in front, a checkpoint behind.
func split(data []byte) ([]string, []byte, error) {
	place := bytes.Index(data, []byte("\n\n"))
	if place < 0 {
		return nil, nil, refuse(reasonProof, "there is no empty line")
	}
	return strings.Split(string(data[:place]), "\n"), data[place+2:], nil
}

func parseSteps(lines []string) ([]tlog.Hash, error) {
	steps := make([]tlog.Hash, len(lines))
	for i, line := range lines {
		step, err := tlog.ParseHash(line)
		if err != nil {
			return nil, refuse(reasonProof, "step %d: %v", i, err)
		}
		steps[i] = step
	}
	return steps, nil
}

// runConsistency reads the request of the C2SP witness protocol, which carries a consistency proof
// and the new checkpoint, and holds it against a checkpoint that was kept.
func runConsistency(keys keyring, arguments []string) (string, error) {
	kept, err := read(arguments[0])
	if err != nil {
		return "", err
	}
	request, err := read(arguments[1])
	if err != nil {
		return "", err
	}
	old, err := openCheckpoint(keys, kept)
	if err != nil {
		return "", err
	}
	head, err := checkGrowth(keys, old, request)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("old=%d %s", old.tree.N, head), nil
}

func checkGrowth(keys keyring, old checkpoint, request []byte) (checkpoint, error) {
	lines, rest, err := split(request)
	if err != nil {
		return checkpoint{}, err
	}
	if len(lines)-1 > consistencyMax || !strings.HasPrefix(lines[0], "old ") {
		return checkpoint{}, refuse(reasonProof, "no old size, or too many steps")
	}
	size, err := parseNumber(strings.TrimPrefix(lines[0], "old "))
	if err != nil || size != old.tree.N {
		return checkpoint{}, refuse(reasonGrowth, "the proof is from size %q, kept is %d", lines[0], old.tree.N)
	}
	steps, err := parseSteps(lines[1:])
	if err != nil {
		return checkpoint{}, err
	}
	head, err := openCheckpoint(keys, rest)
	if err != nil {
		return checkpoint{}, err
	}
	if head.origin != old.origin {
		return checkpoint{}, refuse(reasonGrowth, "origin %s, kept is %s", head.origin, old.origin)
	}
	if size < 1 || size > head.tree.N {
		return checkpoint{}, refuse(reasonGrowth, "from %d to %d", size, head.tree.N)
	}
	if err := tlog.CheckTree(steps, head.tree.N, head.tree.Hash, size, old.tree.Hash); err != nil {
		return checkpoint{}, refuse(reasonGrowth, "%v", err)
	}
	return head, nil
}

// runDossier checks every record of an unpacked dossier: commitment, leaf, proof, one checkpoint.
func runDossier(keys keyring, arguments []string) (string, error) {
	folder := arguments[0]
	kept, err := read(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return "", err
	}
	head, err := openCheckpoint(keys, kept)
	if err != nil {
		return "", err
	}
	leaves, err := filepath.Glob(filepath.Join(folder, "records", "*.leaf"))
	if err != nil || len(leaves) == 0 {
		return "", refuse(reasonMissing, "records/*.leaf in %s", folder)
	}
	sort.Strings(leaves)
	for _, path := range leaves {
		if err := checkRecord(keys, head, strings.TrimSuffix(path, ".leaf")); err != nil {
			return "", err
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "since.request")); err == nil {
		if err := checkSince(keys, head, folder); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("records=%d %s", len(leaves), head), nil
}

func checkRecord(keys keyring, head checkpoint, stem string) error {
	name := filepath.Base(stem)
	var parts [3][]byte
	for i, suffix := range []string{".leaf", ".preimage", ".tlog-proof"} {
		data, err := read(stem + suffix)
		if err != nil {
			return err
		}
		parts[i] = data
	}
	leaf, preimage, proof := parts[0], parts[1], parts[2]
	_, proved, err := checkInclusion(keys, leaf, proof)
	var refused *fault
	if errors.As(err, &refused) {
		return refuse(refused.reason, "record %s: %s", name, refused.detail)
	}
	if proved != head {
		return refuse(reasonCheckpoint, "record %s is proved against another checkpoint", name)
	}
	if digest := sha256.Sum256(preimage); !bytes.Equal(digest[:], leaf[commitmentStart:]) {
		return refuse(reasonCommitment, "record %s", name)
	}
	return nil
}

func checkSince(keys keyring, head checkpoint, folder string) error {
	kept, err := read(filepath.Join(folder, "since.checkpoint"))
	if err != nil {
		return err
	}
	request, err := read(filepath.Join(folder, "since.request"))
	if err != nil {
		return err
	}
	old, err := openCheckpoint(keys, kept)
	if err != nil {
		return err
	}
	grown, err := checkGrowth(keys, old, request)
	if err != nil {
		return err
	}
	if grown != head {
		return refuse(reasonCheckpoint, "the dossier's consistency proof leads to another checkpoint")
	}
	return nil
}
