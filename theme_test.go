package rempart

import (
	"encoding/json"
	"slices"
	"testing"
)

// TestThemes says which facts make which themes, and what groups leave out.
func TestThemes(t *testing.T) {
	for _, c := range []struct {
		facts Facts
		want  []Theme
	}{
		{Facts{}, []Theme{ThemeOther}},
		{Facts{Sexual: SexualNone, Origin: OriginMontage}, []Theme{ThemeOther}},
		{Facts{AgeClass: Age15To17}, []Theme{ThemeMinors}},
		{Facts{AgeClass: AgeUnknown, AuthorRelation: RelationAdultToMinor, Sexual: SexualIntimate}, []Theme{ThemeMinors}},
		{Facts{AgeClass: AgeAppearsMinor, Sexual: SexualPornographic, Origin: OriginAIGenerated}, []Theme{ThemeMinors, ThemeAI}},
		{Facts{AgeClass: AgeAdultApparent, Sexual: SexualPornographic, Threat: ThreatMoney}, []Theme{ThemeIntimate, ThemeThreat}},
		{Facts{Threat: ThreatNone, AI: AIRelated}, []Theme{ThemeAI}},
		{Facts{Origin: OriginAIManipulated, AI: AIReal}, []Theme{ThemeOther}},
	} {
		if got := c.facts.Themes().List(); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.facts, got, c.want)
		}
	}
	if b := (Staff{}).Barred(); b != 0 {
		t.Errorf("without groups she is barred from %v", b.List())
	}
	if b := (Staff{Groups: ThemesOf(ThemeAI, ThemeIntimate)}).Barred().List(); !slices.Equal(b, []Theme{ThemeMinors, ThemeThreat, ThemeOther}) {
		t.Errorf("barred from %v", b)
	}
	var back Staff
	doc, err := json.Marshal(Staff{Groups: ThemesOf("ai", "anything", "minors")})
	if err == nil {
		err = json.Unmarshal(doc, &back)
	}
	if err != nil || back.Groups != ThemesOf(ThemeMinors, ThemeAI) {
		t.Errorf("written and read: %v, %v", back.Groups.List(), err)
	}
}
