package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A keyring holds the keys that the checker trusts.
type keyring struct {
	verifiers note.Verifiers
}

// A checkpoint is a tree head that a known key has signed.
type checkpoint struct {
	origin string
	tree   tlog.Tree
	signer string
}

func (c checkpoint) String() string {
	return fmt.Sprintf("origin=%s size=%d root=%x signer=%s", c.origin, c.tree.N, c.tree.Hash[:], c.signer)
}

func readKeys(path string) (keyring, error) {
	data, err := read(path)
	if err != nil {
		return keyring{}, err
	}
	var verifiers []note.Verifier
	for _, line := range strings.Fields(string(data)) {
		verifier, err := note.NewVerifier(line)
		if err != nil {
			return keyring{}, refuse(reasonKey, "%s: %v", path, err)
		}
		verifiers = append(verifiers, verifier)
	}
	if len(verifiers) == 0 {
		return keyring{}, refuse(reasonKey, "%s holds no verifier key", path)
	}
	return keyring{note.VerifierList(verifiers...)}, nil
}

func read(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, refuse(reasonMissing, "%s", path)
	}
	if err != nil {
		return nil, refuse(reasonUnreadable, "%v", err)
	}
	return data, nil
}

func runCheckpoint(keys keyring, arguments []string) (string, error) {
	data, err := read(arguments[0])
	if err != nil {
		return "", err
	}
	head, err := openCheckpoint(keys, data)
	if err != nil {
		return "", err
	}
	return head.String(), nil
}

// openCheckpoint lets sumdb/note judge the signatures and reads the three lines they cover.
func openCheckpoint(keys keyring, data []byte) (checkpoint, error) {
	opened, err := note.Open(data, keys.verifiers)
	if err != nil {
		var unverified *note.UnverifiedNoteError
		var invalid *note.InvalidSignatureError
		if errors.As(err, &unverified) || errors.As(err, &invalid) {
			return checkpoint{}, refuse(reasonSignature, "%v", err)
		}
		return checkpoint{}, refuse(reasonNote, "%v", err)
	}
	head, err := parseHead(opened.Text)
	if err != nil {
		return checkpoint{}, err
	}
	head.signer = fmt.Sprintf("%s+%08x", opened.Sigs[0].Name, opened.Sigs[0].Hash)
	return head, nil
}

func parseHead(text string) (checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] == "" {
		return checkpoint{}, refuse(reasonCheckpoint, "origin, size and root expected in %q", text)
	}
	size, err := parseNumber(lines[1])
	if err != nil {
		return checkpoint{}, refuse(reasonCheckpoint, "size %q", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return checkpoint{}, refuse(reasonCheckpoint, "root %q", lines[2])
	}
	return checkpoint{origin: lines[0], tree: tlog.Tree{N: size, Hash: root}}, nil
}

// parseNumber refuses what a second reader might take for another number: signs, leading zeros.
func parseNumber(text string) (int64, error) {
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 0 || strconv.FormatInt(number, 10) != text {
		return 0, fmt.Errorf("%q is no plain decimal", text)
	}
	return number, nil
}
