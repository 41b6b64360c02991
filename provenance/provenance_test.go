package provenance

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the synthetic files and vectors.json")

// planted stands in the texts of files, where prompts and names would; it must
// never come out.
const planted = "PLANTED"

// given are the marks that other programs were told to write into files.
var given = map[string][]Mark{
	"files/c2pa-v1.jpg": {{Kind: "c2pa", Part: "APP11", Key: "manifest", Generator: "Adobe Firefly", Source: "trainedAlgorithmicMedia", Signature: "not_verified"}},
	"files/c2pa-v2.png": {{Kind: "c2pa", Part: "caBX", Key: "manifest", Generator: "OpenAI", Source: "compositeWithTrainedAlgorithmicMedia", Signature: "not_verified"}},
	"files/xmp.avif":    toldXMP("item"),
	"files/xmp.heic":    toldXMP("item"),
	"files/xmp.gif":     toldXMP("extension"),
	"files/xmp.jpg":     toldXMP("APP1"),
	"files/xmp.jxl":     toldXMP("xml"),
	"files/xmp.mp4":     toldXMP("uuid"),
	"files/xmp.png":     toldXMP("iTXt"),
	"files/xmp.tif":     toldXMP("tag"),
	"files/xmp.webp":    toldXMP("XMP"),
	"files/exif.jpg": {
		{Kind: "exif", Part: "APP1", Key: "Software", Generator: "Stable Diffusion"},
		{Kind: "exif", Part: "APP1", Key: "UserComment", Generator: "Stable Diffusion"},
		{Kind: "iptc", Part: "APP13", Key: "OriginatingProgram", Generator: "Adobe Photoshop"},
		{Kind: "iptc", Part: "APP13", Key: "Credit", Generator: "Google AI"},
	},
	"files/exif.png": {
		{Kind: "text", Part: "tEXt", Key: "Description", Generator: "Midjourney"},
		{Kind: "text", Part: "tEXt", Key: "Software", Generator: "NovelAI"},
		{Kind: "exif", Part: "eXIf", Key: "Software", Generator: "GIMP"},
	},
	"files/exif.tif": {
		{Kind: "exif", Part: "tag", Key: "Software", Generator: "GIMP"},
		{Kind: "iptc", Part: "tag", Key: "OriginatingProgram", Generator: "Adobe Photoshop"},
	},
	"files/xmp.mov":  toldXMP("udta"),
	"files/ilst.mp4": {{Kind: "text", Part: "ilst", Key: "Comment", Generator: "ComfyUI"}},
	"files/keys.mp4": {{Kind: "text", Part: "ilst", Key: "prompt", Generator: "ComfyUI"}, {Kind: "text", Part: "ilst", Key: "workflow", Generator: "ComfyUI"}},
	"files/udta.mov": {{Kind: "text", Part: "udta", Key: "Comment", Generator: "Google AI"}},
	"files/tags.webm": {
		{Kind: "text", Part: "tags", Key: "prompt", Generator: "ComfyUI"},
		{Kind: "aigc", Part: "tags", Key: "AIGC"},
	},
	"files/ztxt.png": {{Kind: "text", Part: "zTXt", Key: "Comment", Generator: "GIMP"}},
}

func toldXMP(part string) []Mark {
	return []Mark{
		{Kind: "iptc", Part: part, Key: "DigitalSourceType", Source: "trainedAlgorithmicMedia"},
		{Kind: "xmp", Part: part, Key: "CreatorTool", Generator: "Adobe Photoshop"},
	}
}

// TestFiles reads what other programs wrote, and what synthetic_test.go builds,
// and keeps both beside their marks for the test of the JavaScript.
func TestFiles(t *testing.T) {
	vectors := map[string][]Mark{}
	for name, want := range given {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		vectors[name] = want
		compare(t, name, b, want)
	}
	for _, c := range synthetic(t) {
		name := "synthetic/" + c.name
		vectors[name] = c.want
		compare(t, name, c.file, c.want)
		path := filepath.Join("testdata", name)
		if *update {
			write(t, path, c.file)
		}
		if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, c.file) {
			t.Errorf("%s is not what the test builds (%v): go test ./provenance -update", path, err)
		}
	}
	all, err := json.MarshalIndent(vectors, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		write(t, "testdata/vectors.json", append(all, '\n'))
	}
	if b, err := os.ReadFile("testdata/vectors.json"); err != nil || !bytes.Equal(b, append(all, '\n')) {
		t.Errorf("vectors.json is not of these tests (%v): go test ./provenance -update", err)
	}
	on, err := filepath.Glob("testdata/*/*.*")
	if err != nil || len(on) != len(vectors) {
		t.Errorf("%d files for %d vectors, %v", len(on), len(vectors), err)
	}
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// compare reads a file, whole and cut short at each of many places.
func compare(t *testing.T, name string, file []byte, want []Mark) {
	t.Helper()
	got := Read(file)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
	for n := 0; n < len(file); n += 1 + len(file)/97 {
		harmless(t, Read(file[:n]))
	}
}

// harmless checks that marks are words of the lists and nothing else.
func harmless(t *testing.T, marks []Mark) {
	t.Helper()
	if marks == nil || len(marks) > MaxMarks {
		t.Fatalf("%d marks, nil is %v", len(marks), marks == nil)
	}
	for _, m := range marks {
		if err := m.Check(); err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
	}
	text, err := json.Marshal(marks)
	if err != nil || strings.Contains(string(text), planted) {
		t.Fatalf("%s, %v", text, err)
	}
}

func TestCheck(t *testing.T) {
	good := Mark{Kind: "c2pa", Part: "APP11", Key: "manifest", Generator: "ChatGPT", Source: "trainedAlgorithmicMedia", Signature: "missing"}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Mark){
		"kind": func(m *Mark) { m.Kind = "" }, "part": func(m *Mark) { m.Part = "APP2" }, "key": func(m *Mark) { m.Key = "PLANTED" },
		"generator": func(m *Mark) { m.Generator = "PLANTED" }, "source": func(m *Mark) { m.Source = "trainedalgorithmicmedia" },
		"signature": func(m *Mark) { m.Signature = "valid" },
	} {
		m := good
		spoil(&m)
		if err := m.Check(); err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), planted) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAI(t *testing.T) {
	for _, c := range []struct {
		m    Mark
		want bool
	}{
		{Mark{Kind: "iptc", Source: "compositeWithTrainedAlgorithmicMedia"}, true},
		{Mark{Kind: "iptc", Source: "algorithmicMedia"}, false}, // fractals and the like
		{Mark{Kind: "iptc", Source: "digitalCapture"}, false},
		{Mark{Kind: "text", Key: "parameters"}, true},
		{Mark{Kind: "aigc", Key: "AIGC"}, true},
		{Mark{Kind: "iptc", Key: "AISystemUsed"}, true},
		{Mark{Kind: "exif", Key: "Software", Generator: "Midjourney"}, true},
		{Mark{Kind: "xmp", Key: "CreatorTool", Generator: "Adobe Photoshop"}, false},
		{Mark{Kind: "c2pa", Key: "manifest"}, false},
	} {
		if got := c.m.AI(); got != c.want {
			t.Errorf("%+v: %v", c.m, got)
		}
	}
}

// TestNames: a program is known by a whole word, and each by its own.
func TestNames(t *testing.T) {
	for text, want := range map[string]string{
		"Adobe Photoshop 24.0 (Macintosh)": "Adobe Photoshop",
		"OpenAI DALL·E 3":                  "DALL-E",
		"Microsoft_Responsible_AI/1.0":     "Microsoft Responsible AI",
		"FLUX.1 [dev]":                     "FLUX",
		"Fluxbox":                          "",
		"Pandora":                          "", // not Sora
		"Made with Google AI":              "Google AI",
		strings.Repeat("x ", 100) + "GIMP": "", // beyond maxWord
		"":                                 "",
	} {
		if got := known(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for _, g := range generators {
		if len(g.words) == 0 {
			t.Errorf("%s has no word", g.name)
		}
		for _, w := range g.words {
			if w != lower(w) {
				t.Errorf("%s: %q is not in lower case", g.name, w)
			}
		}
	}
	if names := Generators(); len(names) == 0 || len(names) != len(slices.Compact(slices.Sorted(slices.Values(names)))) {
		t.Errorf("%d names, some of them twice", len(names))
	}
}

// TestCost: files that are made to be slow are not.
func TestCost(t *testing.T) {
	for name, file := range bombs(t) {
		start := time.Now()
		harmless(t, Read(file))
		took := time.Since(start)
		t.Logf("%-28s %8d bytes in %v", name, len(file), took)
		if took > 3*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

// FuzzRead checks that any bytes give marks of the lists, and give them twice.
func FuzzRead(f *testing.F) {
	names, err := filepath.Glob("testdata/*/*.*")
	if err != nil || len(names) == 0 {
		f.Fatalf("no files: %v", err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		got := Read(file)
		for _, m := range got {
			if err := m.Check(); err != nil {
				t.Fatalf("%+v: %v", m, err)
			}
		}
		if got == nil || len(got) > MaxMarks || !slices.Equal(got, Read(file)) {
			t.Fatalf("%d marks, or others the second time", len(got))
		}
		harmless(t, ReadVideo(bytes.NewReader(file), int64(len(file))))
	})
}
