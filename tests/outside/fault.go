package main

import "fmt"

// Reasons of a refusal: the first word on standard error.
const (
	reasonKey        = "key"         // a verifier key is malformed
	reasonUnreadable = "unreadable"  // a file cannot be read
	reasonMissing    = "missing"     // a file that must be there is not
	reasonNote       = "note"        // the text is no signed note
	reasonSignature  = "signature"   // no known key signed the note, or one did so wrongly
	reasonCheckpoint = "checkpoint"  // the note's text is no checkpoint
	reasonBundle     = "bundle"      // a bundle of entries is malformed or not what the tiles say
	reasonTile       = "tile"        // a tile is not what the entries give
	reasonRoot       = "root"        // the log is not the one of the checkpoint
	reasonLeaf       = "leaf"        // an entry is no leaf of the ledger, or not the one of its place
	reasonProof      = "proof"       // a file of a proof is malformed
	reasonInclusion  = "inclusion"   // the proof does not lead from the leaf to the root
	reasonGrowth     = "consistency" // the new tree does not begin with the old one
	reasonQuorum     = "quorum"      // too few witnesses have signed
	reasonCommitment = "commitment"  // a record does not give the commitment in its leaf
)

// A fault is a refusal with its reason.
type fault struct {
	reason string
	detail string
}

func (f *fault) Error() string { return f.reason + ": " + f.detail }

func refuse(reason, format string, values ...interface{}) *fault {
	return &fault{reason: reason, detail: fmt.Sprintf(format, values...)}
}
