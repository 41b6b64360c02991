package rempart

import (
	"encoding/json"
	"slices"
)

// A Theme is a kind of case as those who work on it may choose, or be given: by
// whom it shows, and by what comes with it. It follows from the facts alone, in
// the words they have ([Class], [Facts.Threatened], [Facts.Axis]).
type Theme string

// Themes. A case has every one that its facts tell, at least one.
const (
	ThemeMinors   Theme = "minors"   // somebody under 18 is shown, or may be
	ThemeIntimate Theme = "intimate" // sexual or intimate images of an adult
	ThemeThreat   Theme = "threat"   // somebody threatens or extorts the person
	ThemeAI       Theme = "ai"       // made or altered by AI, or about a tool that does
	ThemeOther    Theme = "other"    // none of these, or nobody has said
)

// AllThemes lists them.
var AllThemes = []Theme{ThemeMinors, ThemeIntimate, ThemeThreat, ThemeAI, ThemeOther}

// Themes is a set of themes: bit i is AllThemes[i]. The store keeps it in clear,
// so a bit never changes its meaning.
type Themes uint8

// ThemesOf returns the set of themes; words that are none are left out.
func ThemesOf[T ~string](words ...T) (s Themes) {
	for i, t := range AllThemes {
		if slices.Contains(words, T(t)) {
			s |= 1 << i
		}
	}
	return s
}

// List returns the themes of a set, in the order of AllThemes.
func (s Themes) List() (out []Theme) {
	for i, t := range AllThemes {
		if s&(1<<i) != 0 {
			out = append(out, t)
		}
	}
	return out
}

// Has tells whether a theme is in the set.
func (s Themes) Has(t Theme) bool { return s&ThemesOf(t) != 0 }

// MarshalJSON writes the themes as words.
func (s Themes) MarshalJSON() ([]byte, error) { return json.Marshal(s.List()) }

// UnmarshalJSON reads words, of which unknown ones are left out.
func (s *Themes) UnmarshalJSON(b []byte) error {
	var words []string
	if err := json.Unmarshal(b, &words); err != nil {
		return err
	}
	*s = ThemesOf(words...)
	return nil
}

// Themes returns what the facts tell of the case, as far as they are known.
func (f Facts) Themes() Themes {
	var out []Theme
	if f.Minor() {
		out = append(out, ThemeMinors)
	} else if f.Sexualised() {
		out = append(out, ThemeIntimate)
	}
	if f.Threatened() {
		out = append(out, ThemeThreat)
	}
	if a := f.Axis(); a == AIGenerated || a == AIManipulated || a == AIRelated {
		out = append(out, ThemeAI)
	}
	if len(out) == 0 {
		out = append(out, ThemeOther)
	}
	return ThemesOf(out...)
}

// Barred returns the themes that are not among a member's groups. A case that has
// one of them is not hers, whatever others it has; who has no groups works on all.
func (s Staff) Barred() Themes {
	if s.Groups == 0 {
		return 0
	}
	return ThemesOf(AllThemes...) &^ s.Groups
}

// ErrOutside is what refuses a case with a theme that a member does not work on.
func ErrOutside() error {
	return &Error{Kind: Forbidden, Code: "theme.outside", Public: "This case has a theme that this person does not work on."}
}
