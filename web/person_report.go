package web

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"rempart"
	"rempart/flow"
)

// parseForm reads a person's form, up to maxForm bytes.
func parseForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := r.ParseForm()
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return &rempart.Error{Kind: rempart.TooLarge, Code: "report.too_large", Public: "This report is too long to be received at once."}
	case err != nil:
		return &rempart.Error{Kind: rempart.Invalid, Code: "report.unreadable", Public: "This form did not arrive whole."}
	}
	return nil
}

// questions are the questions with choices, each with its answers in the order
// they are shown; part is the section of the form it is in.
var questions = []struct {
	name, part string
	answers    []string
}{
	{"depicted", "person", []string{"self", "child", "other", "unknown"}},
	{"age", "person", []string{"under_15", "15_17", "adult", "unknown"}},
	{"made", "picture", []string{"fake_sexual", "real_sexual", "fake_other", "unknown"}},
	{"seen", "picture", []string{"online_public", "private", "nowhere"}},
	{"threat", "threat", []string{"none", "money", "images", "force", "other"}},
	{"relation", "threat", []string{"partner", "same_school", "adult_to_minor", "unknown"}},
}

// says are the sentences that report.js takes from the page, by the names of
// its contract; each is "say."+name in the catalogues.
var says = []string{
	"waiting", "working", "ready", "low_quality", "animated", "exact_only", "duplicate",
	"not_picture", "truncated", "too_large", "too_many_pixels", "unsupported", "failed",
	"video_ready", "video_long", "video_low_quality", "video_exact_only", "video_failed",
	"title", "video", "remove", "removed", "too_many", "wait", "all_done", "no_exact", "no_exact_large",
	"mark_made", "mark_ai", "mark_changed", "mark_edited", "mark_other",
}

// reportView is the view of the report's form.
type reportView struct {
	Minor     bool // the path for under 18: no picture is spoken of
	Key       string
	Questions map[string][]questionView // by part
	Repeated  bool
	Several   bool
	Addresses string
	Words     string
	Media     []mediumView
	Says      []sayView
	Problems  []problemView
}

type questionView struct {
	Name, Legend, Hint string
	Errors             []string
	Answers            []answerView
}

type answerView struct {
	Value, Label string
	Checked      bool
}

// mediumView is a picture that a form already holds, as its hidden input.
type mediumView struct {
	Title, Remove, Value string
}

type sayView struct{ Name, Sentence string }

// problemView is one fault, with the fragment of the field it is at.
type problemView struct{ Field, Sentence string }

// Errors returns the sentences of the faults at a field.
func (v reportView) Errors(field string) []string {
	var out []string
	for _, p := range v.Problems {
		if p.Field == field {
			out = append(out, p.Sentence)
		}
	}
	return out
}

func (s *Server) reportForm(w http.ResponseWriter, r *http.Request) {
	minor := r.URL.Query().Get("for") == "minor"
	p := reportPage(s, r, minor)
	p.Data = newReportView(p, rempart.Report{}, "", "", minor, nil)
	allowVideo(w, minor)
	s.render(w, r, http.StatusOK, "person/report", p)
}

// allowVideo sets the policy of a form; that for under 18 has no picture chooser.
func allowVideo(w http.ResponseWriter, minor bool) {
	if !minor {
		w.Header().Set("Content-Security-Policy", videoPolicy)
	}
}

func reportPage(s *Server, r *http.Request, minor bool) page {
	title := "report.title"
	if minor {
		title = "report.title.minor"
	}
	return s.newPage(r, "person", title, nil)
}

// reportPost saves the report and shows its code in the same answer: the code is
// in no address. Sent twice, the form gives the same code again, as it carries
// an idempotency key.
func (s *Server) reportPost(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		s.fail(w, r, "person", err)
		return
	}
	form := r.PostForm
	minor := form.Get("for") == "minor"
	p := reportPage(s, r, minor)
	report := rempart.Report{
		Lang: p.Lang, Depicted: rempart.Depicted(form.Get("depicted")), Age: rempart.Age(form.Get("age")),
		Made: rempart.Made(form.Get("made")), Seen: rempart.Seen(form.Get("seen")),
		Threat: rempart.Threat(form.Get("threat")), Relation: rempart.Relation(form.Get("relation")),
		Repeated: form.Get("repeated") != "", SeveralAuthors: form.Get("several_authors") != "",
		Words: lines(form.Get("words")), Addresses: strings.Split(lines(form.Get("addresses")), "\n"),
	}
	young := minor || report.Age == rempart.AgeSaidUnder15 || report.Age == rempart.AgeSaid15To17
	if young {
		report.Addresses, report.Words = notedAsWords(p, report.Addresses, report.Words)
	}
	var problems rempart.Problems
	media, ok := readMedia(form["media"])
	report.Media = media
	if !ok {
		problems = append(problems, &rempart.Error{Kind: rempart.Invalid, Field: "media", Code: "report.media_form",
			Public: "A picture's fingerprints did not arrive whole."})
	}
	sent, err := flow.Submitted{}, error(nil)
	if !ok {
		_, err = report.Normal(s.Now())
	} else {
		sent, err = s.Flow.Submit(r.Context(), report, formKey(form.Get("key")))
	}
	if err != nil && len(faults(err)) == 0 {
		s.Log.ErrorContext(r.Context(), "saving a report", slog.String("error", err.Error()))
		err = &rempart.Error{Kind: rempart.Internal, Code: "report.internal", Public: "Something on our side interrupted this. Please send the report again."}
	}
	key := form.Get("key")
	for _, e := range faults(err) {
		if e.Code == "report.key_reused" { // she came back to the form of a report that was saved
			key = ""
		}
		if young && e.Code == "report.nothing" { // nobody under 18 is asked for a picture
			e = &rempart.Error{Kind: e.Kind, Field: e.Field, Code: "report.nothing.minor", Public: "Please give an address or a few words on what happened."}
		}
		problems = append(problems, e)
	}
	if len(problems) > 0 { // whatever went wrong, what she wrote is still there, under the same key
		p.Data = newReportView(p, report, form.Get("addresses"), key, minor, problems)
		allowVideo(w, minor)
		s.render(w, r, statusOf(problems), "person/report", p)
		return
	}
	v := codeView{
		Code: sent.Code.String(), Origin: s.Flow.Origin, Receipt: sent.Receipt, Flat: sent.TooFlat,
		Threat: report.Threat != "" && report.Threat != rempart.ThreatNone,
		Minor:  minor || report.Age == rempart.AgeSaidUnder15 || report.Age == rempart.AgeSaid15To17,
	}
	p = s.newPage(r, "person", "code.title", v)
	s.render(w, r, http.StatusOK, "person/code", p)
}

// notedAsWords moves lines that are no address, such as the name of an account,
// behind the words: someone under 18 is never sent back to fetch an address. A
// data: address stays where it is, to be refused: it could hold the picture.
func notedAsWords(p page, lines []string, words string) (addresses []string, more string) {
	for _, l := range lines {
		_, err := rempart.CleanAddress(l)
		if err != nil && strings.TrimSpace(l) != "" && len(l) <= 200 && !strings.Contains(strings.ToLower(l), "data:") {
			words = strings.TrimSpace(words + "\n" + p.T("report.noted", strings.TrimSpace(l)))
			continue
		}
		addresses = append(addresses, l)
	}
	return addresses, words
}

// newReportView returns the form with the values of r. addresses is the text of
// that field as it was typed.
func newReportView(p page, r rempart.Report, addresses, key string, minor bool, problems rempart.Problems) reportView {
	v := reportView{
		Minor: minor, Key: formKey(key), Questions: map[string][]questionView{}, Repeated: r.Repeated, Several: r.SeveralAuthors,
		Addresses: addresses, Words: r.Words,
	}
	for _, e := range problems {
		field, _, _ := strings.Cut(e.Field, "[")
		if field == "" || field == "key" || field == "Idempotency-Key" {
			field = "addresses"
		}
		v.Problems = append(v.Problems, problemView{field, p.Problem(e)})
	}
	chosen := map[string]string{"depicted": string(r.Depicted), "age": string(r.Age), "made": string(r.Made),
		"seen": string(r.Seen), "threat": string(r.Threat), "relation": string(r.Relation)}
	for _, q := range questions {
		qv := questionView{Name: q.name, Legend: p.T("report.q." + q.name), Hint: p.sentence("report.q."+q.name+".hint", ""), Errors: v.Errors(q.name)}
		for _, a := range q.answers {
			if minor && q.name == "age" && a == string(rempart.AgeSaidAdult) {
				continue
			}
			qv.Answers = append(qv.Answers, answerView{a, p.T("report.a." + q.name + "." + a), chosen[q.name] == a})
		}
		v.Questions[q.part] = append(v.Questions[q.part], qv)
	}
	for _, name := range says {
		v.Says = append(v.Says, sayView{name, p.T("say." + name)})
	}
	for i, m := range r.Media {
		b, err := json.Marshal(m)
		if err != nil {
			continue // cannot happen: texts and numbers
		}
		n := strconv.Itoa(i + 1)
		v.Media = append(v.Media, mediumView{strings.ReplaceAll(p.T("say.title"), "{n}", n), strings.ReplaceAll(p.T("say.remove"), "{n}", n), string(b)})
	}
	return v
}

// readMedia reads the hidden inputs that report.js made, one a picture. Those
// that cannot be read are left out, and ok is then false.
func readMedia(values []string) (media []rempart.Medium, ok bool) {
	ok = true
	for _, value := range values {
		m, err := readMedium(value)
		if err != nil {
			ok = false
			continue
		}
		media = append(media, m)
	}
	return media, ok
}

func readMedium(value string) (rempart.Medium, error) {
	var m rempart.Medium
	d := json.NewDecoder(strings.NewReader(value))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, err
	}
	if d.More() || len(m.Fingerprints) == 0 {
		return m, errors.New("not one picture")
	}
	for _, mark := range m.Provenance {
		if err := mark.Check(); err != nil {
			return m, err
		}
	}
	for i, f := range m.Fingerprints {
		clean, err := f.Normal()
		if err != nil {
			return m, err
		}
		m.Fingerprints[i] = clean
	}
	return m, nil
}

// lines returns text with the line ends that people see: forms send CR LF.
func lines(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

var keyForm = regexp.MustCompile(`^[A-Z2-7]{26,52}$`)

// formKey returns the idempotency key that a form came with, or a new one of at
// least 128 random bits.
func formKey(key string) string {
	if keyForm.MatchString(key) {
		return key
	}
	return rand.Text()
}

// codeView is the view of the page that shows the code, and of the one that
// follows it. What the second needs travels in the form: nothing is kept here.
type codeView struct {
	Code    string // in four groups
	Origin  string // address of this instance, for the printed card
	Receipt string // signed text
	Flat    int    // pictures too flat to be recognised
	Threat  bool
	Minor   bool
	Wrong   bool // the last group was not typed right
}

// Groups returns the four groups of the code.
func (v codeView) Groups() []string { return strings.Split(v.Code, "-") }

// reportConfirm checks that the person has kept her code, then shows the
// receipt. It needs nothing but the form: the code was shown by the page before.
func (s *Server) reportConfirm(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		s.fail(w, r, "person", err)
		return
	}
	form := r.PostForm
	code, err := rempart.ParseCaseCode(form.Get("code"))
	if err != nil {
		s.fail(w, r, "person", &rempart.Error{Kind: rempart.Invalid, Code: "report.unreadable", Public: "This form did not arrive whole."})
		return
	}
	flat, _ := strconv.Atoi(form.Get("flat"))
	v := codeView{
		Code: code.String(), Origin: s.Flow.Origin, Receipt: lines(form.Get("receipt")), Flat: min(max(flat, 0), rempart.MaxMedia),
		Threat: form.Get("threat") != "", Minor: form.Get("minor") != "",
	}
	if !typedBack(code, form.Get("last")) {
		v.Wrong = true
		s.render(w, r, http.StatusUnprocessableEntity, "person/code", s.newPage(r, "person", "code.title", v))
		return
	}
	s.render(w, r, http.StatusOK, "person/receipt", s.newPage(r, "person", "receipt.title", v))
}

// typedBack tells whether typed is the last group of the code, or all of it, as
// people type codes.
func typedBack(code rempart.CaseCode, typed string) bool {
	for _, whole := range []string{string(code[:12]) + typed, typed} {
		if got, err := rempart.ParseCaseCode(whole); err == nil && got == code {
			return true
		}
	}
	return false
}
