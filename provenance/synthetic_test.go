package provenance

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
)

// A synthetic file, built from the specifications, and its marks.
type made struct {
	name string
	file []byte
	want []Mark
}

const (
	trained = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
	capture = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
)

func synthetic(t testing.TB) []made {
	store := storeOf(
		manifestOf("c2ma", "Fictive Camera", capture, "", true),
		manifestOf("c2um", "Adobe Photoshop", trained, "Adobe Firefly", true),
	)
	inStore := func(part string) []Mark {
		return []Mark{
			{Kind: "c2pa", Part: part, Key: "ingredient", Source: "digitalCapture", Signature: "not_verified"},
			{Kind: "c2pa", Part: part, Key: "manifest", Generator: "Adobe Photoshop", Source: "trainedAlgorithmicMedia", Signature: "not_verified"},
		}
	}
	unsigned := storeOf(manifestOf("c2ma", planted, "", "", false))
	text := func(key, generator string) []Mark {
		return []Mark{{Kind: "text", Part: "tEXt", Key: key, Generator: generator}}
	}
	settings := planted + ", a lighthouse\nNegative prompt: " + planted + "\nSteps: 20, Sampler: Euler a, Seed: 1"
	packet := xmpOf(` Iptc4xmpExt:DigitalSourceType = '` + trained + `' xmp:CreatorTool="` + planted + `"`)
	return []made{
		{"c2pa.jpg", jpegOf(app11(store, 300)...), inStore("APP11")},
		{"c2pa.png", pngOf(chunk("caBX", store)), inStore("caBX")},
		{"c2pa.webp", webpOf(riff("C2PA", store)), inStore("C2PA")},
		{"c2pa.gif", gifOf(extension("C2PA_GIF\x01\x00\x00", store)), inStore("extension")},
		{"c2pa.tif", tiffOf(binary.BigEndian, tag{52545, 7, store}), inStore("tag")},
		{"c2pa.avif", slices.Concat(box("ftyp", []byte("avif\x00\x00\x00\x00")), box("uuid", []byte(uuidC2PA+"\x00\x00\x00\x00manifest\x00\x00\x00\x00\x00\x00\x00\x00\x00"), store)), inStore("uuid")},
		{"c2pa.mp4", slices.Concat(box("ftyp", []byte("isom\x00\x00\x00\x00")), box("mdat", make([]byte, 100)), box("moov", box("mvhd", make([]byte, 100))), box("uuid", []byte(uuidC2PA+"\x00\x00\x00\x00manifest\x00\x00\x00\x00\x00\x00\x00\x00\x00"), store)), inStore("uuid")},
		{"c2pa.jxl", slices.Concat(box("JXL ", []byte("\r\n\x87\n")), store), inStore("jumb")},
		{"c2pa-unsigned.png", pngOf(chunk("caBX", unsigned)), []Mark{{Kind: "c2pa", Part: "caBX", Key: "manifest", Signature: "missing"}}},
		{"c2pa-remote.png", pngOf(itxt("XML:com.adobe.xmp", xmpOf(` dcterms:provenance="https://exemple.test/`+planted+`"`), false)), []Mark{{Kind: "c2pa", Part: "iTXt", Key: "remote"}}},
		{"c2pa-self.png", pngOf(itxt("XML:com.adobe.xmp", xmpOf(` dcterms:provenance="self#jumbf=c2pa/`+planted+`"`), false)), []Mark{}},
		{"c2pa-metadata.png", pngOf(chunk("caBX", storeOf(super("c2ma", "urn:uuid:1", super("c2as", "c2pa.assertions", super("json", "stds.iptc", box("json", []byte(`{"Iptc4xmpExt:DigitalSourceType":"`+trained+`"}`)))))))), []Mark{{Kind: "c2pa", Part: "caBX", Key: "manifest", Source: "trainedAlgorithmicMedia", Signature: "missing"}}},
		{"c2pa-open.png", pngOf(chunk("caBX", storeOf(openManifest()))), []Mark{{Kind: "c2pa", Part: "caBX", Key: "manifest", Generator: "ChatGPT", Source: "trainedAlgorithmicMedia", Signature: "missing"}}},

		{"xmp-element.png", pngOf(itxt("XML:com.adobe.xmp", []byte(`<rdf:Description><Iptc4xmpExt:DigitalSourceType>`+trained+`</Iptc4xmpExt:DigitalSourceType><dc:title>:DigitalSourceType="`+capture+`"</dc:title></rdf:Description>`), false)), []Mark{{Kind: "iptc", Part: "iTXt", Key: "DigitalSourceType", Source: "trainedAlgorithmicMedia"}}},
		{"xmp-resource.png", pngOf(itxt("XML:com.adobe.xmp", []byte(`<Iptc4xmpExt:DigitalSourceType rdf:resource="`+trained+`"/><Iptc4xmpExt:AISystemUsed>Exemple `+planted+`</Iptc4xmpExt:AISystemUsed><Iptc4xmpExt:AIPromptInformation>`+planted+`</Iptc4xmpExt:AIPromptInformation>`), true)), []Mark{
			{Kind: "iptc", Part: "iTXt", Key: "DigitalSourceType", Source: "trainedAlgorithmicMedia"}, {Kind: "iptc", Part: "iTXt", Key: "AISystemUsed"}}},
		{"xmp-credit.webp", webpOf(riff("XMP ", xmpOf(` photoshop:Credit="Edited with Google AI"`))), []Mark{{Kind: "xmp", Part: "XMP", Key: "Credit", Generator: "Google AI"}}},
		{"xmp-person.jpg", jpegOf(segment(0xe1, []byte("http://ns.adobe.com/xap/1.0/\x00"), xmpOf(` photoshop:Credit="`+planted+` Photoshop" dc:creator="`+planted+`"`))), []Mark{}},
		{"xmp-aigc.jpg", jpegOf(segment(0xe1, []byte("http://ns.adobe.com/xap/1.0/\x00"), []byte(`<TC260:AIGC>{"Label":"1","ContentProducer":"`+planted+`"}</TC260:AIGC>`))), []Mark{{Kind: "aigc", Part: "APP1", Key: "AIGC"}}},
		{"xmp.mov", slices.Concat(box("ftyp", []byte("qt  \x00\x00\x00\x00")), box("moov", box("udta", box("XMP_", packet)))), []Mark{{Kind: "iptc", Part: "udta", Key: "DigitalSourceType", Source: "trainedAlgorithmicMedia"}}},

		{"unbranded.mov", slices.Concat(box("wide"), box("mdat", make([]byte, 10)), box("moov", box("meta", box("hdlr", make([]byte, 24)),
			box("keys", make([]byte, 4), be(2), be(8+len("com.apple.quicktime.software")), []byte("mdtacom.apple.quicktime.software"), be(12), []byte("mdtanote")),
			box("ilst", box("\x00\x00\x00\x02", box("data", make([]byte, 8), []byte("parameters"))), box("\x00\x00\x00\x01", box("data", make([]byte, 8), []byte("Sora "+planted))))))),
			[]Mark{{Kind: "text", Part: "ilst", Key: "Software", Generator: "Sora"}}},
		{"live.webm", slices.Concat(ebml(0x1a45dfa3), []byte("\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff"), ebml(idInfo, ebml(idWritingApp, []byte("Runway "+planted))),
			ebml(idTags, ebml(idTag, ebml(idSimpleTag, ebml(idTagString, []byte(planted+" Steps: 20, Sampler: Euler")), ebml(idTagName, []byte("PARAMETERS"))))), []byte("\x1f\x43\xb6\x75\xff\xa3\x81\x00")), []Mark{
			{Kind: "text", Part: "tags", Key: "Software", Generator: "Runway"}, {Kind: "text", Part: "tags", Key: "parameters", Generator: "Stable Diffusion"}}},

		{"parameters.png", pngOf(chunk("tEXt", []byte("parameters\x00"+settings))), text("parameters", "Stable Diffusion")},
		{"parameters-other.png", pngOf(chunk("tEXt", []byte("parameters\x00"+planted))), text("parameters", "")},
		{"prompt.png", pngOf(chunk("tEXt", []byte(`prompt`+"\x00"+`{"3":{"class_type":"KSampler","inputs":{"text":"`+planted+`"}}}`)), chunk("tEXt", []byte(`workflow`+"\x00"+`{"last_node_id":9}`))), append(text("prompt", "ComfyUI"), text("workflow", "ComfyUI")...)},
		{"swarm.png", pngOf(itxt("parameters", []byte(`{"sui_image_params":{"prompt":"`+planted+`"}}`), true)), []Mark{{Kind: "text", Part: "iTXt", Key: "parameters", Generator: "SwarmUI"}}},
		{"invoke.png", pngOf(chunk("tEXt", []byte("invokeai_metadata\x00{}"))), text("invokeai_metadata", "InvokeAI")},
		{"aigc.png", pngOf(chunk("tEXt", []byte("AIGC\x00{}"))), []Mark{{Kind: "aigc", Part: "tEXt", Key: "AIGC"}}},
		{"description.png", pngOf(chunk("tEXt", []byte("Description\x00"+planted+" Job ID: 0123"))), []Mark{}},
		{"software.png", pngOf(chunk("tEXt", []byte("Software\x00"+planted))), []Mark{}},
		{"after-end.png", append(pngOf(), chunk("tEXt", []byte("parameters\x00"+settings))...), []Mark{}},

		{"comment-le.webp", webpOf(riff("EXIF", tiffOf(binary.LittleEndian, tag{0x10f, 2, []byte(`prompt:{"class_type":"` + planted + `"}`)}, tag{0x9286, 7, utf16(settings)}))), []Mark{
			{Kind: "exif", Part: "EXIF", Key: "Make", Generator: "ComfyUI"}, {Kind: "exif", Part: "EXIF", Key: "UserComment", Generator: "Stable Diffusion"}}},
		{"exif.jxl", slices.Concat(box("JXL ", []byte("\r\n\x87\n")), box("Exif", []byte{0, 0, 0, 0}, tiffOf(binary.BigEndian, tag{0x131, 2, []byte("NovelAI\x00")}))), []Mark{{Kind: "exif", Part: "Exif", Key: "Software", Generator: "NovelAI"}}},
		{"phone.jpg", jpegOf(segment(0xe1, []byte("Exif\x00\x00"), tiffOf(binary.BigEndian, tag{0x10f, 2, []byte(planted + "\x00")}, tag{0x131, 2, []byte("17.5.1\x00")}))), []Mark{}},
		{"twelve.png", pngOf(slices.Repeat(sourcesChunks(), 2)...), first(sourcesMarks(), MaxMarks)},
	}
}

// bombs are files made to cost much.
func bombs(t testing.TB) map[string][]byte {
	deep := append(slices.Repeat([]byte{0x81}, 1_000_000), 0)
	wide := slices.Concat([]byte{0x9a, 0xff, 0xff, 0xff, 0xff}, make([]byte, 4_000_000))
	inClaim := func(b []byte) []byte {
		return pngOf(chunk("caBX", storeOf(super("c2ma", "m", super("c2cl", "c2pa.claim", box("cbor", b))))))
	}
	var zeros bytes.Buffer
	z := zlib.NewWriter(&zeros)
	for range 64 {
		z.Write(make([]byte, 1<<20))
	}
	z.Close()
	bomb := chunk("zTXt", append([]byte("parameters\x00\x00"), zeros.Bytes()...))
	big := bytes.Repeat([]byte(":DigitalSourceTyp"), 60_000)
	same := make([]tag, 500)
	for i := range same {
		same[i] = tag{0x9286, 7, big}
	}
	nested := []byte{}
	for range 5000 {
		nested = box("jumb", box("jumd", make([]byte, 17)), nested)[:min(60_000, 8+25+len(nested))]
	}
	return map[string][]byte{
		"deep CBOR":              inClaim(deep),
		"wide CBOR":              inClaim(wide),
		"64 MiB in a zTXt":       pngOf(bomb),
		"many of them":           pngOf(slices.Repeat([][]byte{bomb}, 60)...),
		"one text, 500 tags":     tiffShared(same),
		"boxes in boxes":         pngOf(chunk("caBX", nested)),
		"a million tiny boxes":   slices.Concat(box("ftyp", []byte("avif")), bytes.Repeat(box("free"), 1_000_000)),
		"a million PNG chunks":   pngOf(bytes.Repeat(chunk("tEXt", []byte("a\x00")), 500_000)),
		"names without a value":  pngOf(itxt("XML:com.adobe.xmp", bytes.Repeat([]byte("<a:DigitalSourceType"), 1_000_000), false)),
		"a name without an end":  pngOf(itxt("XML:com.adobe.xmp", append(bytes.Repeat([]byte("a"), 1<<20-40), []byte(":DigitalSourceType")...), false)),
		"moovs in a movie":       slices.Concat(box("ftyp"), bytes.Repeat(box("moov", bytes.Repeat(box("free"), 400)), 400)),
		"a million keys":         slices.Concat(box("ftyp"), box("moov", box("meta", box("hdlr", nil), box("keys", make([]byte, 8), bytes.Repeat(slices.Concat(be(14), []byte("mdtaprompt")), 500_000)), box("ilst", bytes.Repeat(box("\x00\x00\x00\x01", box("data", make([]byte, 8))), 100_000))))),
		"a million elements":     slices.Concat(ebml(0x1a45dfa3), ebml(idSegment, bytes.Repeat(ebml(idTags), 1_000_000))),
		"garbage after a marker": append([]byte("\xff\xd8\xff\xe0\x00\x02"), make([]byte, 8<<20)...),
	}
}

func be(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

func box(kind string, body ...[]byte) []byte {
	b := slices.Concat(body...)
	return slices.Concat(be(8+len(b)), []byte(kind), b)
}

// ebml is a Matroska element.
func ebml(id uint32, body ...[]byte) []byte {
	b := slices.Concat(body...)
	return slices.Concat(bytes.TrimLeft(be(int(id)), "\x00"), []byte{0x08}, be(len(b)), b)
}

func super(kind, label string, inside ...[]byte) []byte {
	return box("jumb", append([][]byte{box("jumd", []byte(kind+"\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71\x03"+label+"\x00"))}, inside...)...)
}

func storeOf(manifests ...[]byte) []byte { return super("c2pa", "c2pa", manifests...) }

func manifestOf(kind, generator, source, agent string, signed bool) []byte {
	var actions []byte
	if source != "" {
		action := slices.Concat([]byte{0xa3}, cborText("action"), cborText("c2pa.created"), cborText("digitalSourceType"), cborText(source), cborText("softwareAgent"), cborText(agent))
		actions = super("cbor", "c2pa.actions", box("cbor", []byte{0xa1}, cborText("actions"), []byte{0x82}, []byte{0xa1, 0x01, 0x02}, action))
	}
	parts := [][]byte{
		super("c2as", "c2pa.assertions", super("jpeg", "c2pa.thumbnail.claim.jpeg", box("bidb", []byte(planted))), actions),
		super("c2cl", "c2pa.claim", box("cbor", []byte{0xa2}, cborText("dc:title"), cborText(planted), cborText("claim_generator"), cborText(generator+"/1.0"))),
	}
	if signed {
		parts = append(parts, super("c2cs", "c2pa.signature", box("cbor", []byte{0xd2, 0x84})))
	}
	return super(kind, "urn:uuid:"+planted, parts...)
}

// openManifest writes its CBOR without saying lengths, in pieces, under a tag.
func openManifest() []byte {
	action := slices.Concat([]byte{0xbf}, cborText("digitalSourceType"), []byte{0x7f}, cborText(trained[:30]), cborText(trained[30:]), []byte{0xff, 0xff})
	return super("c2ma", "m",
		super("c2as", "c2pa.assertions", super("cbor", "c2pa.actions.v2__1", box("cbor", []byte{0xbf}, cborText("actions"), []byte{0x9f}, action, []byte{0xff, 0xff}))),
		super("c2cl", "c2pa.claim.v2", box("cbor", []byte{0xc1, 0xbf}, cborText("claim_generator_info"), []byte{0xa1}, cborText("name"), cborText("ChatGPT"), []byte{0xff})))
}

func cborText(s string) []byte {
	return append([]byte{0x79, byte(len(s) >> 8), byte(len(s))}, s...)
}

func chunk(kind string, body []byte) []byte {
	b := append([]byte(kind), body...)
	return slices.Concat(be(len(body)), b, be(int(crc32.ChecksumIEEE(b))))
}

func pngOf(chunks ...[]byte) []byte {
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), slices.Concat(chunks...), chunk("IEND", nil))
}

func itxt(keyword string, text []byte, packed bool) []byte {
	flag := "\x00"
	if packed {
		var b bytes.Buffer
		z := zlib.NewWriter(&b)
		z.Write(text)
		z.Close()
		flag, text = "\x01", b.Bytes()
	}
	return chunk("iTXt", append([]byte(keyword+"\x00"+flag+"\x00en\x00mot\x00"), text...))
}

func xmpOf(attributes string) []byte {
	return []byte(`<x:xmpmeta><rdf:Description` + attributes + `/></x:xmpmeta>`)
}

func segment(marker byte, body ...[]byte) []byte {
	b := slices.Concat(body...)
	return append([]byte{0xff, marker, byte((len(b) + 2) >> 8), byte(len(b) + 2)}, b...)
}

func jpegOf(segments ...[]byte) []byte {
	return slices.Concat([]byte{0xff, 0xd8}, slices.Concat(segments...), []byte{0xff, 0xd9})
}

// app11 cuts a store into segments of n bytes of it.
func app11(store []byte, n int) [][]byte {
	var out [][]byte
	for part := range slices.Chunk(store, n) {
		head := slices.Concat([]byte("JP\x02\x11"), be(len(out)+1))
		if len(out) > 0 {
			head = append(head, store[:8]...)
		}
		out = append(out, segment(0xeb, head, part))
	}
	return out
}

func riff(kind string, body []byte) []byte {
	out := append(binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(body))), body...)
	return append(out, make([]byte, len(body)%2)...)
}

func webpOf(chunks ...[]byte) []byte {
	b := slices.Concat([]byte("WEBP"), slices.Concat(chunks...))
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(b))), b...)
}

func gifOf(extensions ...[]byte) []byte {
	return slices.Concat([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00"), slices.Concat(extensions...), []byte("\x21\xfe\x01a\x00\x3b"))
}

func extension(name string, body []byte) []byte {
	out := append([]byte{0x21, 0xff, 11}, name...)
	for part := range slices.Chunk(body, 255) {
		out = append(append(out, byte(len(part))), part...)
	}
	return append(out, 0)
}

type tag struct {
	tag, kind uint16
	value     []byte
}

// tiffOf puts EXIF's own tags where they belong, in a second directory.
func tiffOf(order binary.AppendByteOrder, tags ...tag) []byte {
	first := slices.DeleteFunc(slices.Clone(tags), func(t tag) bool { return t.tag == 0x9286 })
	second := slices.DeleteFunc(slices.Clone(tags), func(t tag) bool { return t.tag != 0x9286 })
	out := []byte("II*\x00\x08\x00\x00\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		out = []byte("MM\x00*\x00\x00\x00\x08")
	}
	directory := func(tags []tag, pointer bool) {
		n := len(tags)
		if pointer {
			n++
		}
		out = order.AppendUint16(out, uint16(n))
		values := []byte{}
		end := len(out) + 12*n + 4
		for _, t := range tags {
			out = order.AppendUint16(order.AppendUint16(out, t.tag), t.kind)
			out = order.AppendUint32(out, uint32(len(t.value)))
			out = order.AppendUint32(out, uint32(end+len(values)))
			values = append(values, t.value...)
		}
		if pointer {
			out = order.AppendUint16(order.AppendUint16(out, 0x8769), 4)
			out = order.AppendUint32(out, 1)
			out = order.AppendUint32(out, uint32(end+len(values)))
		}
		out = append(append(out, 0, 0, 0, 0), values...)
	}
	directory(first, true)
	directory(second, false)
	return out
}

// tiffShared is a directory whose tags all name the same bytes.
func tiffShared(tags []tag) []byte {
	out := []byte("II*\x00\x08\x00\x00\x00")
	out = binary.LittleEndian.AppendUint16(out, uint16(len(tags)))
	for _, t := range tags {
		out = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(out, t.tag), t.kind)
		out = binary.LittleEndian.AppendUint32(out, uint32(len(t.value)))
		out = binary.LittleEndian.AppendUint32(out, uint32(10+12*len(tags)))
	}
	return append(out, tags[0].value...)
}

func utf16(s string) []byte {
	return []byte("UNICODE\x00" + strings.Join(strings.Split(s, ""), "\x00"))
}

// sourcesChunks are texts with every source type, each in a packet of its own.
func sourcesChunks() [][]byte {
	var out [][]byte
	for _, s := range Sources {
		out = append(out, itxt("XML:com.adobe.xmp", xmpOf(` a:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/`+s+`"`), false))
	}
	return out
}

func sourcesMarks() []Mark {
	var out []Mark
	for _, s := range Sources {
		out = append(out, Mark{Kind: "iptc", Part: "iTXt", Key: "DigitalSourceType", Source: s})
	}
	return out
}

func first(m []Mark, n int) []Mark { return m[:n] }
