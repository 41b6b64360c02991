// Package provenance reads the marks that a file carries of how it was made:
// C2PA manifests, IPTC's digital source type, and the traces that image
// generators and editors leave in XMP, EXIF, IPTC-IIM and PNG texts.
//
// A mark is a claim of the file about itself. Anybody can write one and anybody
// can take one away, so a mark is never proof, and none proves nothing. No
// signature is verified: of a C2PA manifest the answer says only whether there
// is one.
//
// # What comes out
//
// Words of this package and nothing else: which kind of mark, in which part of
// the file, under which key, the name of a program out of a closed list, and a
// source type out of IPTC's vocabulary. No text of the file is ever returned or
// kept, as a generator's prompt may name people or insult them. A program that is
// not in the list has no name.
//
// # What goes in
//
// Hostile bytes: JPEG, PNG, WebP, GIF, TIFF, what is made of ISO boxes (AVIF, HEIC,
// JPEG XL, MP4, MOV), and WebM. A video need not be in memory: [ReadVideo]. Each number of boxes, chunks, directories, items and
// nested values, and each length that is read or inflated, has a limit; time is
// linear in the length of the file. What is damaged or beyond a limit is passed
// over.
//
// Not read: compressed C2PA manifests and JPEG XL's compressed boxes (Brotli),
// extended XMP, watermarks in pixels, and of a WebM more than the program that
// wrote it and its tags. The AI Act asks for
// machine-readable marks (art. 50(2)); no format of its own is known here, so
// there is none to read beyond these.
//
// web/static/js/provenance.js is the same for a browser, and gives the same
// answers.
//
// # Sources
//
// C2PA 2 (boxes, claims, actions) as contentauth/c2pa-rs reads them; ISO
// 19566-5 (JUMBF); IPTC NewsCodes "digitalsourcetype" and IPTC Photo Metadata
// 2025.1 (AISystemUsed); TIFF 6 and EXIF; PNG 3; GB 45438-2025 (AIGC); QuickTime's
// file format (udta, keys, ilst); RFC 8794 and RFC 9559 (Matroska).
package provenance

import "slices"

// MaxMarks is the most marks that are read of one file.
const MaxMarks = 12

// Limits on what is read of one file. The JavaScript has the same ones.
const (
	maxBoxes    = 4096     // JUMBF or ISO boxes
	maxText     = 1 << 20  // bytes of an XMP packet or a PNG text, inflated
	maxJUMBF    = 8 << 20  // bytes of a manifest store
	maxInflated = 16       // texts that are inflated
	maxChunks   = 1024     // PNG texts, items of a HEIF
	maxEntries  = 512      // of a TIFF directory
	maxDepth    = 16       // of nested CBOR
	maxItems    = 100_000  // CBOR values
	maxSpent    = 16 << 20 // bytes of texts that are searched, each time that they are
	maxWord     = 200      // bytes of a text in which a program's name is sought
)

// A Mark is one claim of a file about how it was made. Its words are those of
// [Kinds], [Parts], [Keys], [Generators], [Sources] and [Signatures].
type Mark struct {
	Kind      string `json:"kind" enum:"c2pa,iptc,xmp,exif,text,aigc" doc:"what sort of mark"`
	Part      string `json:"part" doc:"where in the file: a JPEG segment, a PNG chunk, a box"`
	Key       string `json:"key" doc:"under which name in that part; its value is not kept"`
	Generator string `json:"generator,omitempty" doc:"the program that the mark names, if it is one of a closed list"`
	Source    string `json:"source,omitempty" doc:"IPTC digital source type, such as trainedAlgorithmicMedia"`
	Signature string `json:"signature,omitempty" enum:"not_verified,missing" doc:"of a C2PA manifest in the file: whether it is signed; the signature is not verified"`
}

// AI tells whether the mark says that the file was made or changed by AI.
func (m Mark) AI() bool {
	return m.Kind == "aigc" || m.Kind == "text" && slices.Contains(prompts, m.Key) || m.Key == "AISystemUsed" ||
		slices.Contains(aiSources, m.Source) || classOf(m.Generator) == byAI
}

// Editor tells whether the program that the mark names is one to edit pictures
// with: that says nothing of AI.
func (m Mark) Editor() bool { return classOf(m.Generator) == byHand }

// Read returns the marks of a file, in the order in which they stand in it, at
// most MaxMarks; it returns an empty slice, never nil, for a file without any or
// of a kind that is not read.
func Read(file []byte) []Mark {
	f := &found{marks: []Mark{}}
	switch {
	case has(file, 0, "\xff\xd8\xff"):
		f.jpeg(file)
	case has(file, 0, "\x89PNG\r\n\x1a\n"):
		f.png(file)
	case has(file, 0, "RIFF") && has(file, 8, "WEBP"):
		f.webp(file)
	case has(file, 0, "GIF87a"), has(file, 0, "GIF89a"):
		f.gif(file)
	case has(file, 0, "II*\x00"), has(file, 0, "MM\x00*"):
		f.tiff(file, "tag")
	case has(file, 0, "\x1a\x45\xdf\xa3"):
		f.matroska(file)
	case isVideo(file), has(file, 0, "\x00\x00\x00\x0cJXL "):
		f.bmff(file)
	}
	return f.marks
}

// found collects the marks of one file, and counts what reading them costs.
type found struct {
	marks    []Mark
	boxes    int
	inflated int
	items    int
	spent    int
}

func (f *found) add(m Mark) {
	if len(f.marks) < MaxMarks && !slices.Contains(f.marks, m) {
		f.marks = append(f.marks, m)
	}
}

// spend tells whether n more bytes may be searched. Directories and items can
// name the same bytes many times.
func (f *found) spend(n int) bool {
	f.spent += n
	return f.spent <= maxSpent
}

func has(b []byte, at int, s string) bool {
	return at+len(s) <= len(b) && string(b[at:at+len(s)]) == s
}

// upTo is the first n bytes of b.
func upTo(b []byte, n int) []byte { return b[:min(n, len(b))] }
