// Copyright AgentTrader contributors. SPDX-License-Identifier: Apache-2.0

// Tlogcheck checks a log's files with golang.org/x/mod/sumdb, the implementation that tiled logs and signed notes come from.
// It knows nothing of AgentTrader: what it accepts, a stranger's tools accept.
//
// It exits with 0 and prints what it found, with 1 when what it was given does not hold, with 2 when it was called wrongly.
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const usage = `Check the files of a tiled log (c2sp.org/tlog-tiles) with golang.org/x/mod/sumdb.

  tlogcheck checkpoint VKEY FILE [WITNESS_VKEY...]      the log's signature, and a cosignature of each witness named
  tlogcheck audit DIR VKEY                              every entry and every tile of a log at rest
  tlogcheck inclusion DIR VKEY INDEX                    prove an entry from the tiles, and check the proof
  tlogcheck consistency DIR VKEY OLD_SIZE OLD_ROOT      prove that an older tree is contained, and check the proof
  tlogcheck proof VKEY FILE ENTRY_FILE                  a receipt (c2sp.org/tlog-proof@v1) of the entry
  tlogcheck example DIR SIZE                            write a log of entries "entry-<i>\n" into DIR, signed with a known key
  tlogcheck vectors                                     roots and proofs over such entries, as JSON
  tlogcheck version                                     the Go it was built with

Checks print the tree as "SIZE ROOT" (base64), then the hashes of the proof they made, one a line.
`

// A check returns the tree it verified and the proof it made.
type check func(args []string) (tlog.Tree, []tlog.Hash, error)

func main() {
	if len(os.Args) < 2 {
		fail(2, usage)
	}
	name, args := os.Args[1], os.Args[2:]
	checks := map[string]struct {
		least, most int
		run         check
	}{
		"checkpoint":  {2, 100, checkpoint},
		"audit":       {2, 2, audit},
		"inclusion":   {3, 3, inclusion},
		"consistency": {4, 4, consistency},
		"proof":       {3, 3, receipt},
		"example":     {2, 2, example},
	}
	known, ok := checks[name]
	switch {
	case name == "version":
		fmt.Println(runtime.Version())
	case name == "vectors":
		if err := vectors(os.Stdout); err != nil {
			fail(1, err.Error())
		}
	case !ok || len(args) < known.least || len(args) > known.most:
		fail(2, usage)
	default:
		tree, hashes, err := known.run(args)
		if err != nil {
			fail(1, fmt.Sprintf("tlogcheck %s: %v", name, err))
		}
		fmt.Println(tree.N, tree.Hash)
		for _, hash := range hashes {
			fmt.Println(hash)
		}
	}
}

func fail(status int, message string) {
	fmt.Fprintln(os.Stderr, strings.TrimRight(message, "\n"))
	os.Exit(status)
}

func checkpoint(args []string) (tlog.Tree, []tlog.Hash, error) {
	text, err := os.ReadFile(args[1])
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	tree, err := openCheckpoint(text, args[0], args[2:]...)
	return tree, nil, err
}

func inclusion(args []string) (tlog.Tree, []tlog.Hash, error) {
	log, err := openLog(args[0], args[1])
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	index, err := decimal(args[2])
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	proof, err := tlog.ProveRecord(log.tree.N, index, tlog.TileHashReader(log.tree, log))
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	entries, err := log.bundle(index / tileWidth)
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	leaf := tlog.RecordHash(entries[index%tileWidth])
	return log.tree, proof, tlog.CheckRecord(proof, log.tree.N, log.tree.Hash, index, leaf)
}

func consistency(args []string) (tlog.Tree, []tlog.Hash, error) {
	log, err := openLog(args[0], args[1])
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	size, err := decimal(args[2])
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	root, err := tlog.ParseHash(args[3])
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	proof, err := tlog.ProveTree(log.tree.N, size, tlog.TileHashReader(log.tree, log))
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	return log.tree, proof, tlog.CheckTree(proof, log.tree.N, log.tree.Hash, size, root)
}

// receipt checks a proof that carries its own checkpoint: a header, perhaps an extra line, the index, the hashes, an empty
// line, the checkpoint.
func receipt(args []string) (tlog.Tree, []tlog.Hash, error) {
	text, err := os.ReadFile(args[1])
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	entry, err := os.ReadFile(args[2])
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	head, note, ok := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || lines[0] != "c2sp.org/tlog-proof@v1" {
		return tlog.Tree{}, nil, fmt.Errorf("not a c2sp.org/tlog-proof@v1")
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		if _, err := base64.StdEncoding.Strict().DecodeString(strings.TrimPrefix(lines[0], "extra ")); err != nil {
			return tlog.Tree{}, nil, fmt.Errorf("extra line: %v", err)
		}
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return tlog.Tree{}, nil, fmt.Errorf("no index line")
	}
	index, err := decimal(strings.TrimPrefix(lines[0], "index "))
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := parseHash(line)
		if err != nil {
			return tlog.Tree{}, nil, err
		}
		proof = append(proof, hash)
	}
	tree, err := openCheckpoint([]byte(note), args[0])
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	return tree, nil, tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

// decimal reads a number as the formats write it: no sign, no leading zero.
func decimal(text string) (int64, error) {
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 0 || text != strconv.FormatInt(number, 10) {
		return 0, fmt.Errorf("%q is not a number as the format writes it", text)
	}
	return number, nil
}

// parseHash reads a hash as the formats write it: strict base64 with padding.
func parseHash(text string) (tlog.Hash, error) {
	var hash tlog.Hash
	bytes, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(bytes) != tlog.HashSize || base64.StdEncoding.EncodeToString(bytes) != text {
		return hash, fmt.Errorf("%q is not the base64 of a hash", text)
	}
	copy(hash[:], bytes)
	return hash, nil
}
