package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight  = 8
	tileWidth   = 1 << tileHeight
	leafBytes   = 58
	leafVersion = 1
	lengthBytes = 2
)

// A directory is a tlog-tiles log on disk; sumdb/tlog reads tiles from it.
type directory struct {
	path string
}

// Height is asked for by tlog.TileReader.
func (d directory) Height() int { return tileHeight }

// SaveTiles is asked for by tlog.TileReader; nothing is cached here.
func (d directory) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles is asked for by tlog.TileReader.
func (d directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(tiles))
	for i, tile := range tiles {
		data, err := d.tile(tile)
		if err != nil {
			return nil, err
		}
		found[i] = data
	}
	return found, nil
}

func (d directory) tile(tile tlog.Tile) ([]byte, error) {
	data, name, err := d.readWidth(tile)
	if err != nil {
		return nil, err
	}
	if len(data) != tile.W*tlog.HashSize {
		return nil, refuse(reasonTile, "%s has %d bytes, not %d", name, len(data), tile.W*tlog.HashSize)
	}
	return data, nil
}

// readWidth reads a tile; a partial one may have been removed once the full one is there.
func (d directory) readWidth(tile tlog.Tile) ([]byte, string, error) {
	name := tilePath(tile)
	data, err := read(filepath.Join(d.path, name))
	var absent *fault
	if tile.W < tileWidth && errors.As(err, &absent) && absent.reason == reasonMissing {
		full := tile
		full.W = tileWidth
		whole, fullErr := read(filepath.Join(d.path, tilePath(full)))
		if fullErr == nil && tile.L >= 0 && len(whole) == tileWidth*tlog.HashSize {
			return whole[:tile.W*tlog.HashSize], tilePath(full), nil
		}
		if fullErr == nil && tile.L < 0 {
			return whole, tilePath(full), nil
		}
	}
	return data, name, err
}

// tilePath turns the path of sumdb/tlog into that of tlog-tiles, which leaves out the height and
// says "entries" where sumdb says "data".
func tilePath(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight))
	if tile.L < 0 {
		path = "entries" + strings.TrimPrefix(path, "data")
	}
	return "tile/" + path
}

// entries returns the entries of one bundle, each with its length of two bytes in front.
func (d directory) entries(bundle tlog.Tile) ([][]byte, string, error) {
	data, name, err := d.readWidth(bundle)
	if err != nil {
		return nil, name, err
	}
	var found [][]byte
	for len(data) > 0 && len(found) < tileWidth {
		if len(data) < lengthBytes {
			return nil, name, refuse(reasonBundle, "%s is cut off in a length", name)
		}
		length := int(binary.BigEndian.Uint16(data))
		data = data[lengthBytes:]
		if len(data) < length {
			return nil, name, refuse(reasonBundle, "%s is cut off in entry %d", name, len(found))
		}
		found = append(found, data[:length])
		data = data[length:]
	}
	whole := strings.HasSuffix(name, fmt.Sprintf(".p/%d", bundle.W)) || bundle.W == tileWidth
	if len(data) > 0 || len(found) < bundle.W || (whole && len(found) != bundle.W) {
		return nil, name, refuse(reasonBundle, "%s does not hold exactly %d entries", name, bundle.W)
	}
	return found[:bundle.W], name, nil
}

func runTiles(keys keyring, arguments []string) (string, error) {
	log := directory{arguments[0]}
	data, err := read(filepath.Join(log.path, "checkpoint"))
	if err != nil {
		return "", err
	}
	head, err := openCheckpoint(keys, data)
	if err != nil {
		return "", err
	}
	if err := log.audit(head.tree); err != nil {
		return "", err
	}
	return head.String(), nil
}

// audit rebuilds the tree from the entries, then compares every tile and the root with it.
func (d directory) audit(tree tlog.Tree) error {
	rebuilt, err := d.rebuild(tree.N)
	if err != nil {
		return err
	}
	root, err := rootOf(tree.N, rebuilt)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return d.blame(tree, root, rebuilt)
	}
	for _, tile := range tlog.NewTiles(tileHeight, 0, tree.N) {
		expected, err := tlog.ReadTileData(tile, rebuilt)
		if err != nil {
			return err
		}
		found, err := d.tile(tile)
		if err != nil {
			return err
		}
		if !bytes.Equal(found, expected) {
			return refuse(reasonTile, "%s is not what the entries give", tilePath(tile))
		}
	}
	return nil
}

// blame says whether the entries differ from the tiles, or the whole log from the checkpoint.
func (d directory) blame(tree tlog.Tree, root tlog.Hash, rebuilt stored) error {
	authentic := tlog.TileHashReader(tree, d)
	if _, err := tlog.TreeHash(tree.N, authentic); err != nil {
		return refuse(reasonRoot, "the entries give %x, the checkpoint says %x; tiles: %v", root[:], tree.Hash[:], err)
	}
	for index := int64(0); index < tree.N; index++ {
		place := tlog.StoredHashIndex(0, index)
		said, err := authentic.ReadHashes([]int64{place})
		if err != nil {
			return refuse(reasonTile, "%v", err)
		}
		if said[0] != rebuilt[place] {
			return refuse(reasonBundle, "entry %d is not the one of the tiles", index)
		}
	}
	return refuse(reasonTile, "the tiles give the root of the checkpoint, but not of their leaves")
}

// stored holds the hashes of a tree in the order of sumdb/tlog.
type stored []tlog.Hash

// ReadHashes is asked for by tlog.HashReader.
func (s stored) ReadHashes(places []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(places))
	for i, place := range places {
		if place >= int64(len(s)) {
			return nil, fmt.Errorf("hash %d of %d", place, len(s))
		}
		found[i] = s[place]
	}
	return found, nil
}

func (d directory) rebuild(size int64) (stored, error) {
	var hashes stored
	var ledger []byte
	for first := int64(0); first < size; first += tileWidth {
		bundle := tlog.Tile{H: tileHeight, L: -1, N: first / tileWidth, W: tileWidth}
		if left := size - first; left < tileWidth {
			bundle.W = int(left)
		}
		entries, name, err := d.entries(bundle)
		if err != nil {
			return nil, err
		}
		for i, entry := range entries {
			index := first + int64(i)
			if ledger, err = checkLeaf(entry, index, ledger); err != nil {
				return nil, refuse(reasonLeaf, "%s, entry %d: %v", name, i, err)
			}
			added, err := tlog.StoredHashes(index, entry, hashes)
			if err != nil {
				return nil, err
			}
			hashes = append(hashes, added...)
		}
	}
	return hashes, nil
}

// rootOf returns the root of a tree; the version of sumdb/tlog in use may not know the empty one.
func rootOf(size int64, hashes stored) (tlog.Hash, error) {
	if size == 0 {
		return emptyRoot(), nil
	}
	return tlog.TreeHash(size, hashes)
}

// checkLeaf holds a leaf against docs/formats/leaf.md: one ledger, positions from 1 without a gap.
func checkLeaf(leaf []byte, index int64, ledger []byte) ([]byte, error) {
	if len(leaf) != leafBytes || leaf[0] != leafVersion {
		return nil, fmt.Errorf("no leaf of version %d", leafVersion)
	}
	if position := binary.BigEndian.Uint64(leaf[17:25]); position != uint64(index)+1 {
		return nil, fmt.Errorf("position %d at index %d", position, index)
	}
	if ledger != nil && !bytes.Equal(leaf[1:17], ledger) {
		return nil, fmt.Errorf("a leaf of another ledger")
	}
	return leaf[1:17], nil
}
