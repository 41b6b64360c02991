package provenance

import (
	"fmt"
	"slices"
	"strings"
)

// Kinds of mark.
var Kinds = []string{
	"c2pa", // a manifest of the Coalition for Content Provenance and Authenticity
	"iptc", // a property of the International Press Telecommunications Council
	"xmp",  // another property of an XMP packet
	"exif", // an EXIF tag
	"text", // a text under a key: a PNG chunk, a tag of a video
	"aigc", // the label that GB 45438-2025 asks of generators in China
}

// Parts of a file in which marks stand: JPEG segments, PNG chunks, WebP chunks,
// boxes, an item of a HEIF, a GIF's extension, a TIFF's tag, the list of an MP4's
// texts, a WebM's tags.
var Parts = []string{
	"APP1", "APP11", "APP13", "caBX", "eXIf", "tEXt", "zTXt", "iTXt", "C2PA", "XMP", "EXIF",
	"uuid", "jumb", "xml", "Exif", "udta", "item", "extension", "tag", "ilst", "tags",
}

// prompts are the PNG texts that only image generators leave.
var prompts = []string{
	"parameters", "prompt", "workflow", "dream", "sd-metadata", "invokeai_metadata", "invokeai_graph",
	"fooocus_scheme", "generation_data",
}

// Keys under which a mark stands.
var Keys = append([]string{
	"manifest",   // C2PA: the manifest of the file as it is
	"ingredient", // C2PA: that of something it was made from, or of an earlier state
	"remote",     // C2PA: the file says that its manifest is elsewhere; nobody looked there
	"DigitalSourceType", "AISystemUsed", "AIGC", "CreatorTool", "Credit", "OriginatingProgram",
	"Software", "Source", "Description", "Comment", "ImageDescription", "UserComment", "Make", "Model",
}, prompts...)

// Signatures are what is known of a manifest's signature.
var Signatures = []string{"not_verified", "missing"}

// Sources are the digital source types: IPTC's, those it has retired, and C2PA's
// own, but for its "empty".
var Sources = []string{
	"trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia", "algorithmicallyEnhanced",
	"compositeSynthetic", "trainedAlgorithmicData", "composite", "compositeCapture", "dataDrivenMedia",
	"digitalCapture", "computationalCapture", "digitalCreation", "digitalArt", "humanEdits", "minorHumanEdits",
	"softwareImage", "screenCapture", "virtualRecording", "negativeFilm", "positiveFilm", "print",
}

// aiSources say that a trained model made or changed the picture. A composite
// with a synthetic part counts; algorithms without training do not.
var aiSources = []string{"trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic", "trainedAlgorithmicData"}

type class int

const (
	unknown class = iota
	byAI          // makes pictures
	byHand        // a person's tool, whatever it can do besides
)

// A generator is known by words that its marks use, in lower case; letters may
// stand neither before nor after one.
type generator struct {
	name  string
	class class
	words []string
}

// generators are the programs that a mark can name. The first one found counts:
// services stand before the models they run, and makers before editors.
var generators = []generator{
	{"Adobe Firefly", byAI, []string{"firefly"}},
	{"ChatGPT", byAI, []string{"chatgpt"}},
	{"Sora", byAI, []string{"sora"}},
	{"DALL-E", byAI, []string{"dall-e", "dall\xc2\xb7e", "dalle"}},
	{"OpenAI", byAI, []string{"openai", "gpt-image", "gpt-4o", "openai-api"}},
	{"Midjourney", byAI, []string{"midjourney"}},
	{"NovelAI", byAI, []string{"novelai"}},
	{"ComfyUI", byAI, []string{"comfyui"}},
	{"InvokeAI", byAI, []string{"invokeai"}},
	{"Fooocus", byAI, []string{"fooocus"}},
	{"SwarmUI", byAI, []string{"swarmui", "stableswarmui"}},
	{"Draw Things", byAI, []string{"draw things"}},
	{"Leonardo AI", byAI, []string{"leonardo.ai", "leonardo ai"}},
	{"Stable Diffusion", byAI, []string{"stable diffusion", "stable-diffusion", "stability ai", "stability.ai", "stability-ai"}},
	{"FLUX", byAI, []string{"flux.", "black forest labs"}},
	{"Bing Image Creator", byAI, []string{"bing image creator"}},
	{"Microsoft Designer", byAI, []string{"microsoft designer"}},
	{"Microsoft Responsible AI", byAI, []string{"microsoft responsible ai", "microsoft_responsible_ai"}},
	{"Google AI", byAI, []string{"google ai", "google generative ai", "gemini", "imagen"}},
	{"Meta AI", byAI, []string{"meta ai", "imagine with meta"}},
	{"Grok", byAI, []string{"grok", "xai"}},
	{"Ideogram", byAI, []string{"ideogram"}},
	{"Runway", byAI, []string{"runway", "runwayml"}},
	{"Recraft", byAI, []string{"recraft"}},
	{"Krea", byAI, []string{"krea", "krea.ai"}},
	{"NightCafe", byAI, []string{"nightcafe"}},
	{"Kling", byAI, []string{"kling", "klingai"}},
	{"Doubao", byAI, []string{"doubao"}},
	{"Jimeng", byAI, []string{"jimeng"}},
	{"Adobe Photoshop", byHand, []string{"photoshop"}},
	{"Adobe Lightroom", byHand, []string{"lightroom"}},
	{"Adobe Express", byHand, []string{"adobe express", "adobe_express"}},
	{"Adobe Illustrator", byHand, []string{"illustrator"}},
	{"GIMP", byHand, []string{"gimp"}},
	{"Krita", byHand, []string{"krita"}},
	{"Paint.NET", byHand, []string{"paint.net"}},
	{"Affinity", byHand, []string{"affinity photo", "affinity designer"}},
	{"Canva", byHand, []string{"canva"}},
	{"Snapseed", byHand, []string{"snapseed"}},
	{"Picsart", byHand, []string{"picsart"}},
	{"CapCut", byHand, []string{"capcut"}},
	{"FaceApp", byHand, []string{"faceapp"}},
	{"Facetune", byHand, []string{"facetune"}},
	{"c2patool", byHand, []string{"c2patool", "c2pa-rs"}},
}

// Generators returns the names of the programs that a mark can name.
func Generators() []string {
	out := make([]string, len(generators))
	for i, g := range generators {
		out[i] = g.name
	}
	return out
}

func classOf(name string) class {
	for _, g := range generators {
		if g.name == name {
			return g.class
		}
	}
	return unknown
}

// known returns the name of the program that text speaks of, or "". No more than
// maxWord bytes of text are looked at.
func known(text string) string {
	text = lower(text[:min(len(text), maxWord)])
	for _, g := range generators {
		for _, w := range g.words {
			if spoken(text, w) {
				return g.name
			}
		}
	}
	return ""
}

// knownAI is known for programs that make pictures.
func knownAI(text string) string {
	if name := known(text); classOf(name) == byAI {
		return name
	}
	return ""
}

// spoken tells whether word stands in text without a letter beside it. A word
// that ends in a point is a beginning.
func spoken(text, word string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return false
		}
		at += i
		end := at + len(word)
		if (at == 0 || !letter(text[at-1])) && (end == len(text) || !letter(text[end])) {
			return true
		}
		at++
	}
}

func letter(c byte) bool { return 'a' <= c && c <= 'z' }

// lower is strings.ToLower for ASCII alone, so that every language does the
// same.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// source returns the digital source type that an address or its last part names,
// or "".
func source(value string) string {
	value = strings.Trim(value, " \t\r\n")
	if i := strings.LastIndexAny(value, "/:"); i >= 0 {
		value = value[i+1:]
	}
	if slices.Contains(Sources, value) {
		return value
	}
	return ""
}

// Check returns an error that names the first word of m that this package does
// not have. It does not repeat the word.
func (m Mark) Check() error {
	for _, w := range []struct {
		field, value string
		words        []string
		needed       bool
	}{
		{"kind", m.Kind, Kinds, true},
		{"part", m.Part, Parts, true},
		{"key", m.Key, Keys, true},
		{"generator", m.Generator, Generators(), false},
		{"source", m.Source, Sources, false},
		{"signature", m.Signature, Signatures, false},
	} {
		if w.value == "" && !w.needed {
			continue
		}
		if !slices.Contains(w.words, w.value) {
			return fmt.Errorf("provenance: %s is not one of its %d words", w.field, len(w.words))
		}
	}
	return nil
}
