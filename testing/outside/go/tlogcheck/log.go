// Copyright AgentTrader contributors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// A log is a directory of tiles under a verified checkpoint. It is a tlog.TileReader.
type log struct {
	dir  string
	tree tlog.Tree
}

func openLog(dir, vkey string) (*log, error) {
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return nil, err
	}
	tree, err := openCheckpoint(text, vkey)
	return &log{dir, tree}, err
}

func (l *log) Height() int                                { return tileHeight }
func (l *log) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func (l *log) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	all := make([][]byte, len(tiles))
	for i, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(l.dir, path(tile)))
		if err != nil {
			return nil, err
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s: %d bytes, not %d hashes", path(tile), len(data), tile.W)
		}
		all[i] = data
	}
	return all, nil
}

// bundle reads the entries of bundle n, as many as the tree has.
func (l *log) bundle(n int64) ([][]byte, error) {
	tile := tileOf(l.tree.N, -1, n)
	data, err := os.ReadFile(filepath.Join(l.dir, path(tile)))
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("%s: entry %d is cut short", path(tile), len(entries))
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		entries = append(entries, data[2:end])
		data = data[end:]
	}
	if len(entries) != tile.W {
		return nil, fmt.Errorf("%s: %d entries, not %d", path(tile), len(entries), tile.W)
	}
	return entries, nil
}

// audit recomputes the tree from the entries, compares every tile with it, and accepts no other file: only narrower tiles of
// an earlier tree may be left, and each is the beginning of its successor.
func audit(args []string) (tlog.Tree, []tlog.Hash, error) {
	l, err := openLog(args[0], args[1])
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	var stored storedHashes
	for n := int64(0); n*tileWidth < l.tree.N; n++ {
		entries, err := l.bundle(n)
		if err != nil {
			return tlog.Tree{}, nil, err
		}
		for _, entry := range entries {
			if err := stored.append(entry); err != nil {
				return tlog.Tree{}, nil, err
			}
		}
	}
	root, err := stored.root(l.tree.N)
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	if root != l.tree.Hash {
		return tlog.Tree{}, nil, fmt.Errorf("the entries give the root %v, the checkpoint says %v", root, l.tree.Hash)
	}
	implied := map[string]bool{"checkpoint": true}
	for _, tile := range tilesOf(l.tree.N) {
		implied[path(tile)] = true
		if tile.L < 0 {
			continue
		}
		want, err := tlog.ReadTileData(tile, &stored)
		if err != nil {
			return tlog.Tree{}, nil, err
		}
		got, err := os.ReadFile(filepath.Join(l.dir, path(tile)))
		if err != nil {
			return tlog.Tree{}, nil, err
		}
		if !bytes.Equal(got, want) {
			return tlog.Tree{}, nil, fmt.Errorf("%s is not what the entries give", path(tile))
		}
	}
	return l.tree, nil, l.others(implied)
}

// others checks every file that the size does not imply.
func (l *log) others(implied map[string]bool) error {
	return filepath.WalkDir(l.dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(l.dir, file)
		if err != nil || implied[filepath.ToSlash(name)] {
			return err
		}
		older, err := parsePath(filepath.ToSlash(name))
		if err != nil {
			return err
		}
		newer := tileOf(l.tree.N, older.L, older.N)
		if older.W >= newer.W {
			return fmt.Errorf("%s is not of a tree of %d entries", filepath.ToSlash(name), l.tree.N)
		}
		beginning, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		whole, err := os.ReadFile(filepath.Join(l.dir, path(newer)))
		if err != nil {
			return err
		}
		wrongSize := older.L >= 0 && len(beginning) != older.W*tlog.HashSize
		if wrongSize || !bytes.HasPrefix(whole, beginning) {
			return fmt.Errorf("%s is not the beginning of %s", filepath.ToSlash(name), path(newer))
		}
		return nil
	})
}

// tileOf is the tile n of a level in a tree of that size; its width is zero or less where there is none. Level -1 is the entries'.
func tileOf(size int64, level int, n int64) tlog.Tile {
	shift := uint(0)
	if level > 0 {
		shift = uint(tileHeight * level)
	}
	width := size>>shift - n*tileWidth
	if width > tileWidth {
		width = tileWidth
	}
	return tlog.Tile{H: tileHeight, L: level, N: n, W: int(width)}
}

// tilesOf lists the tiles and bundles of a tree of that size.
func tilesOf(size int64) []tlog.Tile {
	var tiles []tlog.Tile
	for level := -1; level < 8; level++ {
		for n := int64(0); tileOf(size, level, n).W > 0; n++ {
			tiles = append(tiles, tileOf(size, level, n))
		}
	}
	return tiles
}

// path is the tile's in c2sp.org/tlog-tiles, which fixes the height that x/mod writes out, and calls the data entries.
func path(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
	return strings.Replace(path, "tile/data/", "tile/entries/", 1)
}

func parsePath(name string) (tlog.Tile, error) {
	long := strings.Replace(strings.Replace(name, "tile/entries/", "tile/data/", 1), "tile/", "tile/8/", 1)
	tile, err := tlog.ParseTilePath(long)
	if err != nil || path(tile) != name {
		return tlog.Tile{}, fmt.Errorf("%s is no file of a tiled log", name)
	}
	return tile, nil
}

// storedHashes holds every hash of a growing tree in x/mod's order. It is a tlog.HashReader.
type storedHashes struct {
	size   int64
	hashes []tlog.Hash
}

func (s *storedHashes) append(entry []byte) error {
	hashes, err := tlog.StoredHashes(s.size, entry, s)
	s.size++
	s.hashes = append(s.hashes, hashes...)
	return err
}

// root is the tree's of that size. x/mod has zeros for the empty tree, RFC 6962 the hash of nothing.
func (s *storedHashes) root(size int64) (tlog.Hash, error) {
	if size == 0 {
		return sha256.Sum256(nil), nil
	}
	return tlog.TreeHash(size, s)
}

func (s *storedHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(s.hashes)) {
			return nil, fmt.Errorf("there is no hash %d", index)
		}
		hashes[i] = s.hashes[index]
	}
	return hashes, nil
}
