// Copyright AgentTrader contributors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// The example's key is known to everyone: its seed is the bytes 0 to 31.
const exampleOrigin = "example.com/tlogcheck"

// example writes a log of that size.
func example(args []string) (tlog.Tree, []tlog.Hash, error) {
	size, err := decimal(args[1])
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	stored, err := exampleHashes(size)
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	for _, tile := range tilesOf(size) {
		data, err := exampleTile(tile, stored)
		if err != nil {
			return tlog.Tree{}, nil, err
		}
		if err := write(filepath.Join(args[0], path(tile)), data); err != nil {
			return tlog.Tree{}, nil, err
		}
	}
	tree, signed, err := exampleCheckpoint(size, stored)
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	return tree, nil, write(filepath.Join(args[0], "checkpoint"), signed)
}

func exampleTile(tile tlog.Tile, stored *storedHashes) ([]byte, error) {
	if tile.L >= 0 {
		return tlog.ReadTileData(tile, stored)
	}
	var data []byte
	for i := int64(0); i < int64(tile.W); i++ {
		entry := exampleEntry(tile.N*tileWidth + i)
		data = binary.BigEndian.AppendUint16(data, uint16(len(entry)))
		data = append(data, entry...)
	}
	return data, nil
}

func exampleEntry(index int64) []byte { return []byte(fmt.Sprintf("entry-%d\n", index)) }

func exampleHashes(size int64) (*storedHashes, error) {
	var stored storedHashes
	for i := int64(0); i < size; i++ {
		if err := stored.append(exampleEntry(i)); err != nil {
			return nil, err
		}
	}
	return &stored, nil
}

func exampleCheckpoint(size int64, stored *storedHashes) (tlog.Tree, []byte, error) {
	root, err := stored.root(size)
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	_, skey := exampleKeys()
	signer, err := note.NewSigner(skey)
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", exampleOrigin, size, root)
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	return tlog.Tree{N: size, Hash: root}, signed, err
}

func exampleKeys() (vkey, skey string) {
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = byte(i)
	}
	public := append([]byte{0x01}, ed25519.NewKeyFromSeed(seed)[ed25519.SeedSize:]...)
	digest := sha256.Sum256(append([]byte(exampleOrigin+"\n"), public...))
	name := fmt.Sprintf("%s+%x+", exampleOrigin, digest[:4])
	return name + base64.StdEncoding.EncodeToString(public),
		"PRIVATE+KEY+" + name + base64.StdEncoding.EncodeToString(append([]byte{0x01}, seed...))
}

func write(file string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}

// Sizes around every edge of a tile, and of the tree over it.
var exampleSizes = []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 256, 257, 300, 511, 512, 513, 700, 65535, 65536, 65537, 70000}

type vector map[string]any

// vectors writes the roots and checkpoints of all sizes, and proofs: all of them for small trees, chosen ones for large.
func vectors(to io.Writer) error {
	stored, err := exampleHashes(exampleSizes[len(exampleSizes)-1])
	if err != nil {
		return err
	}
	var trees, inclusions, consistencies []vector
	for _, size := range append([]int64{0}, exampleSizes...) {
		tree, signed, err := exampleCheckpoint(size, stored)
		if err != nil {
			return err
		}
		trees = append(trees, vector{"size": size, "root": tree.Hash, "checkpoint": string(signed)})
		for index := int64(0); index < size; index++ {
			if size > 9 && index != 0 && index != 255 && index != 256 && index != size/2 && index != size-1 {
				continue
			}
			proof, err := tlog.ProveRecord(size, index, stored)
			if err != nil {
				return err
			}
			hashes := append([]tlog.Hash{}, proof...)
			inclusions = append(inclusions, vector{"index": index, "size": size, "root": tree.Hash, "hashes": hashes})
		}
		for _, old := range exampleSizes {
			if old > size {
				break
			}
			proof, err := tlog.ProveTree(size, old, stored)
			if err != nil {
				return err
			}
			hashes := append([]tlog.Hash{}, proof...)
			consistencies = append(consistencies, vector{"old_size": old, "size": size, "root": tree.Hash, "hashes": hashes})
		}
	}
	vkey, skey := exampleKeys()
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	return encoder.Encode(vector{
		"entry": "entry-<index>\n", "origin": exampleOrigin, "vkey": vkey, "skey": skey,
		"trees": trees, "inclusion": inclusions, "consistency": consistencies,
	})
}
