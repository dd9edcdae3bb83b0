// Command outside checks the ledger's evidence with code that the ledger's authors did not write:
// golang.org/x/mod, packages sumdb/note and sumdb/tlog, which guard the Go checksum database.
//
// Ours are only the names of the files and the framing of their contents; every hash, proof and
// signature is judged by those packages. Silence of the ledger's own code about a fault is thus
// never taken for its absence.
//
// Usage:
//
//	outside checkpoint  VKEYS FILE            signature and head of a checkpoint
//	outside tiles       VKEYS DIR             a whole tlog-tiles directory
//	outside inclusion   VKEYS LEAF PROOF      a leaf in the tree of a C2SP tlog-proof
//	outside consistency VKEYS OLD REQUEST     an old checkpoint and a C2SP add-checkpoint request
//	outside dossier     VKEYS DIR             an unpacked dossier
//	outside cosigned    VKEYS WITNESSES N FILE a checkpoint that N of the witnesses have signed
//
// VKEYS is a file with one verifier key a line; a checkpoint needs a signature by one of them.
// Exit codes: 0 accepted, 1 refused, 2 wrong usage. A refusal is one line on standard error that
// begins with its reason, a word of the list in fault.go.
package main

import (
	"errors"
	"fmt"
	"os"
)

const (
	exitRefused = 1
	exitUsage   = 2
)

// A command takes the known keys' file and its own arguments, and says what it accepted.
type command struct {
	arguments int
	run       func(keys keyring, arguments []string) (string, error)
}

var commands = map[string]command{
	"checkpoint":  {1, runCheckpoint},
	"tiles":       {1, runTiles},
	"inclusion":   {2, runInclusion},
	"consistency": {2, runConsistency},
	"dossier":     {1, runDossier},
	"cosigned":    {3, runCosigned},
}

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(words []string) int {
	if len(words) < 2 {
		return usage()
	}
	chosen, known := commands[words[0]]
	if !known || len(words) != 2+chosen.arguments {
		return usage()
	}
	keys, err := readKeys(words[1])
	if err == nil {
		var accepted string
		if accepted, err = chosen.run(keys, words[2:]); err == nil {
			fmt.Println(accepted)
			return 0
		}
	}
	var refused *fault
	if !errors.As(err, &refused) {
		refused = &fault{reason: reasonUnreadable, detail: err.Error()}
	}
	fmt.Fprintln(os.Stderr, refused)
	return exitRefused
}

func usage() int {
	fmt.Fprintln(os.Stderr, "usage: outside checkpoint|tiles|inclusion|consistency|dossier|cosigned VKEYS ...")
	return exitUsage
}
