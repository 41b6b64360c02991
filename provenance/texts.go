package provenance

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// texts are the keywords of PNG, and names of texts in videos, that are looked at,
// in lower case, and how the text is judged: it returns the program that it speaks
// of, and whether it is a mark.
var texts = map[string]func(text string) (generator string, mark bool){
	"parameters":        func(s string) (string, bool) { return recipe(s), true },
	"prompt":            func(s string) (string, bool) { return graph(s), true },
	"workflow":          func(s string) (string, bool) { return graph(s), true },
	"dream":             func(string) (string, bool) { return "InvokeAI", true },
	"sd-metadata":       func(string) (string, bool) { return "InvokeAI", true },
	"invokeai_metadata": func(string) (string, bool) { return "InvokeAI", true },
	"invokeai_graph":    func(string) (string, bool) { return "InvokeAI", true },
	"fooocus_scheme":    func(string) (string, bool) { return "Fooocus", true },
	"generation_data":   func(string) (string, bool) { return "", true },
	"aigc":              func(string) (string, bool) { return "", true },
	"software":          named,
	"source":            named,
	"comment":           remark,
	"description":       job,
	"xml:com.adobe.xmp": nil,
}

// spelled are the keys whose name is not their keyword in lower case.
var spelled = map[string]string{
	"software": "Software", "source": "Source", "comment": "Comment", "description": "Description", "aigc": "AIGC",
}

// text reads one PNG text under a keyword of texts.
func (f *found) text(key, text, part string) {
	if key == "xml:com.adobe.xmp" {
		f.xmp([]byte(text), part)
		return
	}
	judge := texts[key]
	if judge == nil {
		return
	}
	if !f.spend(len(text)) {
		return
	}
	name, mark := judge(text)
	if !mark {
		return
	}
	m := Mark{Kind: "text", Part: part, Key: key, Generator: name}
	if s := spelled[key]; s != "" {
		m.Key = s
	}
	if key == "aigc" {
		m.Kind = "aigc"
	}
	f.add(m)
}

// remark is what a comment says: in a video it may be a graph of ComfyUI.
func remark(s string) (string, bool) {
	if name := graph(s); name != "" {
		return name, true
	}
	return named(s)
}

func named(s string) (string, bool) {
	name := known(s)
	return name, name != ""
}

// recipe tells whose settings a text holds: Stable Diffusion's programs write
// "Steps: 20, Sampler: Euler a, …" after the prompt.
func recipe(s string) string {
	switch {
	case strings.Contains(s, `"sui_image_params"`):
		return "SwarmUI"
	case strings.Contains(s, "Steps: ") && strings.Contains(s, "Sampler: "):
		return "Stable Diffusion"
	}
	return ""
}

// graph tells whether a text is a graph of ComfyUI.
func graph(s string) string {
	if strings.Contains(s, `"class_type"`) || strings.Contains(s, `"last_node_id"`) {
		return "ComfyUI"
	}
	return ""
}

// job tells whether a description ends as Midjourney's do, in the number of the
// job, 8-4-4-4-12 hexadecimal digits.
func job(s string) (string, bool) {
	const start = "Job ID: "
	for i := strings.Index(s, start); i >= 0; {
		id := s[i+len(start):]
		if len(id) >= 36 && uuid(id[:36]) {
			return "Midjourney", true
		}
		next := strings.Index(id, start)
		if next < 0 {
			break
		}
		i += len(start) + next
	}
	return "", false
}

func uuid(s string) bool {
	for i := range len(s) {
		c := s[i]
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}

// tiff reads the first directory of a TIFF, which is also what EXIF is, and the
// EXIF directory that it names: "II" or "MM", 42 [2], offset of the directory
// [4]; a directory is a count [2] and entries of tag [2], type [2], number of
// values [4], values or their offset [4].
func (f *found) tiff(b []byte, part string) { f.directory(b, part, true) }

func (f *found) exif(b []byte, part string) { f.directory(b, part, false) }

func (f *found) directory(b []byte, part string, whole bool) {
	var order binary.ByteOrder = binary.LittleEndian
	switch {
	case has(b, 0, "MM\x00*"):
		order = binary.BigEndian
	case !has(b, 0, "II*\x00"):
		return
	}
	if len(b) < 8 {
		return
	}
	offsets := []int64{int64(order.Uint32(b[4:]))}
	for k := 0; k < len(offsets) && k < 2; k++ {
		at := offsets[k]
		if at < 8 || at+2 > int64(len(b)) {
			continue
		}
		n := min(int64(order.Uint16(b[at:])), maxEntries)
		for e := at + 2; n > 0 && e+12 <= int64(len(b)); n, e = n-1, e+12 {
			tag, kind, count := order.Uint16(b[e:]), order.Uint16(b[e+2:]), int64(order.Uint32(b[e+4:]))
			if tag == 0x8769 && k == 0 {
				offsets = append(offsets, int64(order.Uint32(b[e+8:])))
				continue
			}
			if kind == 4 && tag == 33723 { // many writers say that IPTC-IIM is of 32-bit numbers
				kind, count = 1, 4*count
			}
			if kind != 1 && kind != 2 && kind != 7 {
				continue
			}
			from := e + 8
			if count > 4 {
				from = int64(order.Uint32(b[e+8:]))
			}
			if from+count > int64(len(b)) {
				continue
			}
			f.tag(tag, b[from:from+count], part, whole)
		}
	}
}

// tag reads one value of a directory, of bytes.
func (f *found) tag(tag uint16, v []byte, part string, whole bool) {
	exif := func(key, generator string) {
		if generator != "" {
			f.add(Mark{Kind: "exif", Part: part, Key: key, Generator: generator})
		}
	}
	v = upTo(v, maxText)
	if !f.spend(len(v)) {
		return
	}
	switch tag {
	case 0x0131:
		exif("Software", known(string(upTo(v, maxWord))))
	case 0x010e:
		name, _ := job(string(v))
		exif("ImageDescription", name)
	case 0x010f: // ComfyUI puts its graphs here in WebP
		if has(v, 0, "workflow:") || has(v, 0, "prompt:") {
			exif("Make", graph(string(v)))
		}
	case 0x0110:
		if has(v, 0, "workflow:") || has(v, 0, "prompt:") {
			exif("Model", graph(string(v)))
		}
	case 0x9286: // a code of 8 bytes, then text, often of two bytes a character
		exif("UserComment", recipe(string(bytes.ReplaceAll(v, []byte{0}, nil))))
	case 700:
		if whole {
			f.xmp(v, part)
		}
	case 33723:
		if whole {
			f.iim(v, part)
		}
	case 52545:
		if whole {
			f.jumbf(v, part)
		}
	}
}

// photoshop walks image resources for IPTC-IIM: "8BIM", number [2], name (length
// [1], padded to an even whole), length [4], body padded to an even length.
func (f *found) photoshop(b []byte, part string) {
	for has(b, 0, "8BIM") && len(b) >= 12 {
		name := (int(b[6]) + 2) &^ 1
		at := int64(6 + name + 4)
		if at > int64(len(b)) {
			return
		}
		n := int64(binary.BigEndian.Uint32(b[at-4:]))
		if n > int64(len(b))-at {
			return
		}
		if b[4] == 4 && b[5] == 4 {
			f.iim(b[at:at+n], part)
		}
		b = b[min(at+n+n%2, int64(len(b))):]
	}
}

// iim walks IPTC-IIM: 1C, record [1], dataset [1], length [2], value.
func (f *found) iim(b []byte, part string) {
	for len(b) >= 5 && b[0] == 0x1c {
		n := int(binary.BigEndian.Uint16(b[3:]))
		if n >= 0x8000 || n > len(b)-5 {
			return
		}
		value := string(upTo(b[5:5+n], maxWord))
		key, name := "", ""
		switch {
		case b[1] == 2 && b[2] == 65:
			key, name = "OriginatingProgram", known(value)
		case b[1] == 2 && b[2] == 110:
			key, name = "Credit", knownAI(value)
		}
		if name != "" {
			f.add(Mark{Kind: "iptc", Part: part, Key: key, Generator: name})
		}
		b = b[5+n:]
	}
}
