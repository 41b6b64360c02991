package rempart

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"rempart/provenance"
)

// Limits on what one report holds. A report over a limit is refused with a
// sentence that says so, and the person's words stay in her form.
const (
	MaxAddresses     = 50
	MaxAddressLength = 2000   // bytes
	MaxMedia         = 20     // pictures and videos
	MaxFingerprints  = 24     // of one of them: a video has several, of images in it
	MaxWords         = 10_000 // characters
)

// Depicted says, in the person's words, who is in the picture.
type Depicted string

// Who is in the picture.
const (
	DepictedSelf    Depicted = "self"    // the person who reports
	DepictedChild   Depicted = "child"   // her child
	DepictedOther   Depicted = "other"   // somebody she knows or not
	DepictedUnknown Depicted = "unknown" // she does not know
)

// Made says, in the person's words, what was made of the picture.
type Made string

// What was made of the picture.
const (
	MadeFakeSexual Made = "fake_sexual" // a false naked or sexual picture, made with AI or a montage
	MadeRealSexual Made = "real_sexual" // a real intimate picture shown without agreement
	MadeFakeOther  Made = "fake_other"  // a false picture that is not sexual
	MadeUnknown    Made = "unknown"     // she does not know
)

// Age is what the person says of the age of who is in the picture.
type Age string

// Ages, as asked.
const (
	AgeSaidUnder15 Age = "under_15"
	AgeSaid15To17  Age = "15_17"
	AgeSaidAdult   Age = "adult"
	AgeSaidUnknown Age = "unknown"
)

// Seen says where the picture was seen.
type Seen string

// Where the picture was seen.
const (
	SeenPublic  Seen = "online_public" // a site, a network, a public group
	SeenPrivate Seen = "private"       // sent to somebody, a private group
	SeenNowhere Seen = "nowhere"       // nowhere yet: only threatened
	SeenUnknown Seen = "unknown"       // not answered
)

// A Medium is one picture, known by the fingerprints computed on the person's
// device, with the marks that its file carries of how it was made.
type Medium struct {
	Fingerprints []Fingerprint     `json:"fingerprints"`
	Provenance   []provenance.Mark `json:"provenance,omitempty"` // read on the device too; at most provenance.MaxMarks
}

// A Report is what a person sends, once. There is no name, address, account or
// device in it, and no picture.
type Report struct {
	ID       string    `json:"id"`
	CaseID   string    `json:"case_id"`
	At       time.Time `json:"at"`   // to the hour: the minute would help to find who reported
	Lang     string    `json:"lang"` // "fr" or "en": the language to answer in
	Depicted Depicted  `json:"depicted"`
	Age      Age       `json:"age"`
	Made     Made      `json:"made"`
	Seen     Seen      `json:"seen"`
	Threat   Threat    `json:"threat"`
	Relation Relation  `json:"relation"` // of the author to the person depicted

	Repeated       bool `json:"repeated"`
	SeveralAuthors bool `json:"several_authors"`

	Words     string   `json:"words"`     // free, at most MaxWords characters
	Addresses []string `json:"addresses"` // at most MaxAddresses, http or https
	Media     []Medium `json:"media"`     // at most MaxMedia
}

// Normal returns the report with its fields in their normal form: empty answers
// become "unknown", addresses and fingerprints are cleaned and doubled ones
// dropped, the hour is cut. It returns [Problems] that name every fault.
func (r Report) Normal(at time.Time) (Report, error) {
	var p Problems
	r.At = at.UTC().Truncate(time.Hour)
	if r.Lang != "en" {
		r.Lang = "fr"
	}
	choose(&p, "depicted", &r.Depicted, DepictedUnknown, DepictedSelf, DepictedChild, DepictedOther)
	choose(&p, "age", &r.Age, AgeSaidUnknown, AgeSaidUnder15, AgeSaid15To17, AgeSaidAdult)
	choose(&p, "made", &r.Made, MadeUnknown, MadeFakeSexual, MadeRealSexual, MadeFakeOther)
	choose(&p, "seen", &r.Seen, SeenUnknown, SeenPublic, SeenPrivate, SeenNowhere)
	choose(&p, "threat", &r.Threat, ThreatNone, ThreatMoney, ThreatImages, ThreatForce, ThreatOther)
	choose(&p, "relation", &r.Relation, RelationUnknown, RelationPartner, RelationSameSchool, RelationAdultToMinor)

	r.Words = strings.TrimSpace(strings.ToValidUTF8(r.Words, "�"))
	if n := utf8.RuneCountInString(r.Words); n > MaxWords {
		p.add("words", "report.words", fmt.Sprintf("Your text has %d characters; at most %d can be sent. Please shorten it.", n, MaxWords), n, MaxWords)
	}
	if CarriesFile(r.Words) {
		p = append(p, carried("words"))
	}
	r.Addresses = r.addresses(&p)
	r.Media = r.media(&p)
	if len(p) == 0 && len(r.Addresses) == 0 && len(r.Media) == 0 && r.Words == "" {
		p.add("", "report.nothing", "Please give at least one address, one picture's fingerprint, or a few words on what happened.")
	}
	return r, p.err()
}

func choose[T ~string](p *Problems, field string, v *T, unknown T, others ...T) {
	if *v == "" {
		*v = unknown
	}
	if *v == unknown {
		return
	}
	for _, o := range others {
		if *v == o {
			return
		}
	}
	p.add(field, "report.choice", fmt.Sprintf("%q is not one of the answers.", string(*v)))
}

func (r Report) addresses(p *Problems) []string {
	var out []string
	seen := map[string]bool{}
	for _, a := range r.Addresses {
		if a = strings.TrimSpace(a); a == "" {
			continue
		}
		clean, err := CleanAddress(a)
		if err != nil {
			p.add("addresses", "report.address", fmt.Sprintf("%q is not the address of a page; it should look like https://site.example/page.", shorten(a)), shorten(a))
			continue
		}
		if !seen[clean] {
			seen[clean] = true
			out = append(out, clean)
		}
	}
	if len(out) > MaxAddresses {
		p.add("addresses", "report.addresses", fmt.Sprintf("You gave %d addresses; at most %d fit in one report. Send the others in a second report.", len(out), MaxAddresses), len(out), MaxAddresses)
	}
	return out
}

func (r Report) media(p *Problems) []Medium {
	var out []Medium
	seen := map[string]bool{}
	for i, m := range r.Media {
		var prints []Fingerprint
		key := ""
		for _, f := range m.Fingerprints {
			f, err := f.Normal()
			if err != nil {
				p.add(fmt.Sprintf("media[%d]", i), "report.fingerprint", err.Error())
				continue
			}
			prints = append(prints, f)
			key += string(f.Type) + f.Value
		}
		if len(prints) > MaxFingerprints {
			p.add(fmt.Sprintf("media[%d]", i), "report.fingerprints", fmt.Sprintf("A file came with %d fingerprints; at most %d fit.", len(prints), MaxFingerprints), len(prints), MaxFingerprints)
			continue
		}
		if len(prints) == 0 || seen[key] {
			continue
		}
		seen[key] = true
		marks, ok := m.marks()
		if !ok {
			p.add(fmt.Sprintf("media[%d]", i), "report.provenance", fmt.Sprintf("provenance holds at most %d marks, in the words that the document of this API lists.", provenance.MaxMarks), provenance.MaxMarks)
			continue
		}
		out = append(out, Medium{prints, marks})
	}
	if len(out) > MaxMedia {
		p.add("media", "report.media", fmt.Sprintf("You chose %d pictures; at most %d fit in one report. Send the others in a second report.", len(out), MaxMedia), len(out), MaxMedia)
	}
	return out
}

// marks returns the marks of the medium, each once. ok is false where there are
// too many, or where a word of one is not package provenance's: no text of a file
// is ever kept.
func (m Medium) marks() (marks []provenance.Mark, ok bool) {
	var out []provenance.Mark
	for _, mark := range m.Provenance {
		if mark.Check() != nil || len(m.Provenance) > provenance.MaxMarks {
			return nil, false
		}
		if !slices.Contains(out, mark) {
			out = append(out, mark)
		}
	}
	return out, true
}

// CleanAddress returns a as an absolute http or https address. It adds https://
// to what has no scheme, and refuses anything else, such as data: or file:
// addresses, which could carry the content itself, and an address with a file in
// it ([CarriesFile]). What it returns has at most
// [MaxAddressLength] bytes and is unchanged by another call.
func CleanAddress(a string) (string, error) {
	a = strings.TrimSpace(a)
	if len(a) > MaxAddressLength {
		return "", fmt.Errorf("address of %d bytes; at most %d", len(a), MaxAddressLength)
	}
	if !strings.Contains(a, "://") && !strings.HasPrefix(strings.ToLower(a), "data:") && !strings.HasPrefix(strings.ToLower(a), "javascript:") {
		a = "https://" + a
	}
	if CarriesFile(a) {
		return "", fmt.Errorf("address with a file in it")
	}
	u, err := url.Parse(a)
	if err != nil {
		return "", fmt.Errorf("parse address: %w", err)
	}
	u.Scheme = strings.ToLower(u.Scheme)
	host := u.Hostname()
	if u.Scheme != "http" && u.Scheme != "https" || host == "" || u.User != nil {
		return "", fmt.Errorf("not an http address")
	}
	if !strings.Contains(host, ".") && !strings.Contains(host, ":") && host != "localhost" {
		return "", fmt.Errorf("host without a dot")
	}
	if strings.ContainsAny(host, " \t\"'<>") {
		return "", fmt.Errorf("host with a space or quote")
	}
	if strings.HasPrefix(host, ".") || strings.Contains(host, "..") {
		return "", fmt.Errorf("host with an empty label")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", fmt.Errorf("port %s; from 1 to 65535", port)
		}
	}
	if len(host) > maxHostLength || !utf8.ValidString(host) {
		return "", fmt.Errorf("host of %d bytes; at most %d, in UTF-8", len(host), maxHostLength)
	}
	u.Host = strings.ToLower(u.Host)
	u.RawQuery = asciiOnly(u.RawQuery)
	clean := u.String()
	if len(clean) > MaxAddressLength {
		return "", fmt.Errorf("address of %d bytes once its letters are written as %%XX; at most %d", len(clean), MaxAddressLength)
	}
	return clean, nil
}

// maxHostLength is the longest name of a host, in bytes (RFC 1035, section 2.3.4,
// less the length byte and the root).
const maxHostLength = 253

// asciiOnly writes every byte that is not plain ASCII as %XX, as a path's are by
// [url.URL.String]: marks that turn the direction of text would let an address
// read as another one.
func asciiOnly(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func shorten(s string) string {
	r := []rune(s)
	if len(r) <= 80 {
		return s
	}
	return string(r[:79]) + "…"
}

// Facts returns what the answers say as typed facts. It never guesses further
// than the answers go: an adult is "apparent" until somebody establishes it, and
// content said to be intimate is "intimate", never "pornographic", until an
// analyst knows better.
func (r Report) Facts() Facts {
	f := Facts{
		Threat: r.Threat, AuthorRelation: r.Relation,
		Date: r.At.Format(time.DateOnly),
	}
	if r.Repeated { // a box left empty says nothing
		f.Repetition = FlagYes
	}
	if r.SeveralAuthors {
		f.MultipleAuthors = FlagYes
	}
	switch r.Depicted {
	case DepictedSelf, DepictedChild, DepictedOther:
		f.Depicts = DepictsIdentified
	}
	switch r.Age {
	case AgeSaidUnder15:
		f.AgeClass = AgeUnder15
	case AgeSaid15To17:
		f.AgeClass = Age15To17
	case AgeSaidAdult:
		f.AgeClass = AgeAdultApparent
		if r.Depicted == DepictedSelf {
			f.AgeClass = AgeAdultEstablished
		}
	}
	switch r.Made {
	case MadeFakeSexual:
		f.Sexual, f.Origin = SexualIntimate, OriginAIManipulated
	case MadeRealSexual:
		f.Sexual, f.Origin = SexualIntimate, OriginReal
	case MadeFakeOther:
		f.Sexual, f.Origin = SexualNone, OriginAIManipulated
	}
	if r.Depicted == DepictedSelf || r.Depicted == DepictedChild {
		f.DiffusionConsent = ConsentNo
		if r.Made == MadeFakeSexual || r.Made == MadeFakeOther {
			f.CaptureConsent = ConsentNo
		}
	}
	switch {
	case r.Seen == SeenPublic, r.Seen == SeenUnknown && len(r.Addresses) > 0: // an address is where others can see it
		f.Communication = CommunicationOnlinePublic
	case r.Seen == SeenPrivate:
		f.Communication = CommunicationThirdParty
	case r.Seen == SeenNowhere:
		f.Communication = CommunicationNone
	}
	if r.Seen == SeenPrivate || f.Communication == CommunicationOnlinePublic || f.Threatened() {
		f.Online = FlagYes
	}
	f.Fill()
	return f
}
