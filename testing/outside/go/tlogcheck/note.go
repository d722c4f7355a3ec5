// Copyright AgentTrader contributors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// openCheckpoint verifies a checkpoint (c2sp.org/tlog-checkpoint): signed by the log, whose key has the origin's name, and
// cosigned by every witness named.
func openCheckpoint(text []byte, logKey string, witnessKeys ...string) (tlog.Tree, error) {
	log, err := note.NewVerifier(logKey)
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("%q: %v", logKey, err)
	}
	keys := []note.Verifier{log}
	for _, key := range witnessKeys {
		witness, err := newCosigner(key)
		if err != nil {
			return tlog.Tree{}, fmt.Errorf("%q: %v", key, err)
		}
		keys = append(keys, witness)
	}
	opened, err := note.Open(text, note.VerifierList(keys...))
	if err != nil {
		return tlog.Tree{}, err
	}
	for _, key := range keys {
		signed := false
		for _, signature := range opened.Sigs {
			signed = signed || signature.Name == key.Name() && signature.Hash == key.KeyHash()
		}
		if !signed {
			return tlog.Tree{}, fmt.Errorf("not signed by %s", key.Name())
		}
	}
	return parseCheckpoint(opened.Text, log.Name())
}

// parseCheckpoint reads origin, size, root and extension lines, none of them empty.
func parseCheckpoint(text, origin string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[len(lines)-1] != "" {
		return tlog.Tree{}, fmt.Errorf("a checkpoint has three lines: origin, size, root")
	}
	for _, line := range lines[:len(lines)-1] {
		if line == "" {
			return tlog.Tree{}, fmt.Errorf("a line of the checkpoint is empty")
		}
	}
	if lines[0] != origin {
		return tlog.Tree{}, fmt.Errorf("the checkpoint is of %q, the key of %q", lines[0], origin)
	}
	size, err := decimal(lines[1])
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := parseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// A cosigner verifies timestamped cosignatures (c2sp.org/tlog-cosignature, cosignature/v1), which x/mod does not know.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func newCosigner(vkey string) (*cosigner, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("not name+hash+key")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != 0x04 {
		return nil, fmt.Errorf("not a key of a cosigner")
	}
	digest := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	hash := binary.BigEndian.Uint32(digest[:])
	if fmt.Sprintf("%08x", hash) != parts[1] {
		return nil, fmt.Errorf("the hash is not the key's")
	}
	return &cosigner{name: parts[0], hash: hash, key: key[1:]}, nil
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }

func (c *cosigner) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	var message bytes.Buffer
	fmt.Fprintf(&message, "cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(signature), text)
	return ed25519.Verify(c.key, message.Bytes(), signature[8:])
}
