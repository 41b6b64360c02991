package rempart

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rempart/provenance"
)

var (
	markAI     = provenance.Mark{Kind: "c2pa", Part: "APP11", Key: "manifest", Generator: "Adobe Firefly", Source: "trainedAlgorithmicMedia", Signature: "not_verified"}
	markEditor = provenance.Mark{Kind: "xmp", Part: "APP1", Key: "CreatorTool", Generator: "Adobe Photoshop"}
)

func marked(marks ...provenance.Mark) Report {
	return Report{Made: MadeRealSexual, Depicted: DepictedSelf, Age: AgeSaidAdult,
		Media: []Medium{{Fingerprints: []Fingerprint{{Type: PDQ, Value: hashA, Quality: 80}}, Provenance: marks}}}
}

// TestMarksOfReport: marks travel with their medium, and no word but the lists'.
func TestMarksOfReport(t *testing.T) {
	r, err := marked(markAI, markAI, markEditor).Normal(t0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]provenance.Mark{markAI, markEditor}, r.Media[0].Provenance); diff != "" {
		t.Error(diff)
	}
	foreign := markAI
	foreign.Generator = "SECRET words"
	for name, marks := range map[string][]provenance.Mark{
		"a word of no list": {markAI, foreign}, "no kind": {{Part: "APP1", Key: "Software"}},
		"too many": slices.Repeat([]provenance.Mark{markAI}, provenance.MaxMarks+1),
	} {
		_, err := marked(marks...).Normal(t0)
		var p Problems
		if !errors.As(err, &p) || len(p) != 1 || p[0].Code != "report.provenance" || strings.Contains(p[0].Public, "SECRET") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMarksDecideNothing: a case with marks has the facts, the list, the
// priority and the entries of one without.
func TestMarksDecideNothing(t *testing.T) {
	open := func(marks ...provenance.Mark) *Case {
		r, err := marked(marks...).Normal(t0)
		if err != nil {
			t.Fatal(err)
		}
		return OpenCase(r)
	}
	plain, with := open(), open(markAI)
	if diff := cmp.Diff(plain.Facts, with.Facts); diff != "" {
		t.Errorf("a mark changed the facts:\n%s", diff)
	}
	if with.Facts.Origin != OriginReal || plain.Priority != with.Priority || plain.Items[0].List != with.Items[0].List || len(plain.Items[0].Entries) != len(with.Items[0].Entries) {
		t.Errorf("a mark changed the case: %+v", with)
	}
	if diff := cmp.Diff([]provenance.Mark{markAI}, with.Items[0].Provenance); diff != "" {
		t.Error(diff)
	}
	if !with.Items[0].SaysAI() || plain.Items[0].SaysAI() {
		t.Error("the hint is wrong")
	}
	if other := open(markEditor); other.Items[0].SaysAI() {
		t.Error("an editor is no AI")
	}
}
