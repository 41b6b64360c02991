package provenance

import (
	"encoding/binary"
	"slices"
	"strings"
)

// A box is length [4], type [4], body; length 1 means that 8 bytes of length
// follow the type, 0 that the box goes to the end. A JUMBF superbox (jumb) holds
// a description (jumd: type [16], flags [1], label, 0) and then boxes.
//
// A manifest store is a superbox "c2pa" of manifests, the last of which is that
// of the file as it is. A manifest holds an assertion store, a claim and a
// signature.

// box cuts the first box from b. ok is false if there is none, or if it goes
// beyond b or the limit.
func (f *found) box(b []byte) (kind string, body, rest []byte, ok bool) {
	if f.boxes++; f.boxes > maxBoxes || len(b) < 8 {
		return "", nil, nil, false
	}
	head, n := 8, uint64(binary.BigEndian.Uint32(b))
	switch {
	case n == 0:
		n = uint64(len(b))
	case n == 1 && len(b) >= 16:
		head, n = 16, binary.BigEndian.Uint64(b[8:])
	}
	if n < uint64(head) || n > uint64(len(b)) {
		return "", nil, nil, false
	}
	return string(b[4:8]), b[head:n], b[n:], true
}

// super reads a superbox's description and returns the first four bytes of its
// type, its label, and its boxes.
func (f *found) super(b []byte) (kind, label string, rest []byte, ok bool) {
	name, d, rest, ok := f.box(b)
	if !ok || name != "jumd" || len(d) < 17 {
		return "", "", nil, false
	}
	if d[16]&2 != 0 {
		label, _, _ = strings.Cut(string(upTo(d[17:], maxWord)), "\x00")
	}
	return string(d[:4]), label, rest, true
}

// A manifest is what is read of one: each word is a word of this package.
type manifest struct {
	generator string
	agent     string // a known program that an action names
	sources   []string
	signed    bool
}

// jumbf reads a manifest store.
func (f *found) jumbf(b []byte, part string) {
	for len(b) > 0 {
		kind, body, rest, ok := f.box(b)
		if !ok {
			return
		}
		b = rest
		if kind != "jumb" {
			continue
		}
		if _, label, inside, ok := f.super(body); ok && label == "c2pa" {
			f.store(inside, part)
		}
	}
}

func (f *found) store(b []byte, part string) {
	var all []manifest
	for len(b) > 0 {
		kind, body, rest, ok := f.box(b)
		if !ok {
			break
		}
		b = rest
		if kind != "jumb" {
			continue
		}
		if kind, _, inside, ok := f.super(body); ok && (kind == "c2ma" || kind == "c2um" || kind == "c2cm") {
			all = append(all, f.manifest(inside))
		}
	}
	for i, m := range all {
		key, signature := "manifest", "missing"
		if m.signed {
			signature = "not_verified"
		}
		if m.generator == "" {
			m.generator = m.agent
		}
		if i < len(all)-1 {
			key = "ingredient"
			if m.generator == "" && len(m.sources) == 0 {
				continue
			}
		}
		if len(m.sources) == 0 {
			m.sources = []string{""}
		}
		for _, s := range m.sources {
			f.add(Mark{Kind: "c2pa", Part: part, Key: key, Generator: m.generator, Source: s, Signature: signature})
		}
	}
}

func (f *found) manifest(b []byte) (m manifest) {
	for len(b) > 0 {
		kind, body, rest, ok := f.box(b)
		if !ok {
			break
		}
		b = rest
		if kind != "jumb" {
			continue
		}
		switch kind, _, inside, _ := f.super(body); kind {
		case "c2as":
			f.assertions(inside, &m)
		case "c2cl":
			if kind, body, _, ok := f.box(inside); ok && kind == "cbor" {
				m.claim(f.cbor(body))
			}
		case "c2cs":
			m.signed = true
		}
	}
	return m
}

func (m *manifest) claim(v any) {
	claim, _ := v.(map[string]any)
	info := claim["claim_generator_info"]
	if list, ok := info.([]any); ok && len(list) > 0 {
		info = list[0]
	}
	if m.generator = known(program(info)); m.generator == "" {
		m.generator = known(program(claim["claim_generator"]))
	}
}

// program is the name of a program, which a claim or an action writes as a text
// or as a map.
func program(v any) string {
	if info, ok := v.(map[string]any); ok {
		v = info["name"]
	}
	name, _ := v.(string)
	return name
}

// assertions reads the actions, and what IPTC's metadata say of the source.
func (f *found) assertions(b []byte, m *manifest) {
	for len(b) > 0 {
		kind, body, rest, ok := f.box(b)
		if !ok {
			return
		}
		b = rest
		if kind != "jumb" {
			continue
		}
		_, label, inside, ok := f.super(body)
		actions := strings.HasPrefix(label, "c2pa.actions")
		if !ok || !actions && label != "c2pa.metadata" && !strings.HasPrefix(label, "stds.iptc") && !strings.HasPrefix(label, "stds.metadata") {
			continue
		}
		kind, content, _, ok := f.box(inside)
		switch {
		case ok && kind == "cbor" && actions:
			m.actions(f.cbor(content))
		case ok && kind == "json":
			m.json(string(upTo(content, maxText)))
		}
	}
}

func (m *manifest) actions(v any) {
	top, _ := v.(map[string]any)
	list, _ := top["actions"].([]any)
	for _, one := range list {
		action, _ := one.(map[string]any)
		if t, ok := action["digitalSourceType"].(string); ok {
			m.from(source(t))
		}
		if m.agent == "" {
			m.agent = known(program(action["softwareAgent"]))
		}
	}
}

// json looks for source types, which stand in JSON as addresses.
func (m *manifest) json(s string) {
	const start = "/digitalsourcetype/"
	for range maxTimes {
		i := strings.Index(s, start)
		if i < 0 {
			return
		}
		s = s[i+len(start):]
		end := 0
		for end < len(s) && end < maxWord && letter(s[end]|0x20) {
			end++
		}
		m.from(source(s[:end]))
	}
}

func (m *manifest) from(source string) {
	if source != "" && !slices.Contains(m.sources, source) {
		m.sources = append(m.sources, source)
	}
}
