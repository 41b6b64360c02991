package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"rempart"
	"rempart/exchange"
	"rempart/flow"
)

// A statementView is the statement of reasons of one item for the EU's
// transparency database.
type statementView struct {
	State  string // "sent", "withheld", "dry_run", or "waiting" until every item is decided
	Faults []string
	JSON   string
}

// statements gives the statement of each decided item, by item. What became of
// it is what was noted, never what is hoped.
func (s *Server) statements(ctx context.Context, p page, i *rempart.Intake) (map[string]*statementView, error) {
	events, err := s.DB.Events(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	states := map[string]string{}
	for _, e := range events {
		switch e.Kind {
		case flow.StatementSent, flow.StatementWithheld, flow.StatementDryRun:
			if !ofNow(i, e) {
				continue
			}
			states[e.Data["item"]] = strings.TrimPrefix(e.Kind, "statement.")
		}
	}
	out := map[string]*statementView{}
	for _, x := range s.Flow.Statements(i) {
		b, err := json.MarshalIndent(x.Statement, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("web: write statement: %w", err)
		}
		v := &statementView{State: states[x.Item], JSON: string(b)}
		if v.State == "" {
			v.State = "waiting"
		}
		for _, f := range x.Faults {
			key := "statement.fault." + f.Field
			if f.Article == "24(5)" {
				key = "statement.fault.personal"
			}
			v.Faults = append(v.Faults, p.sentence(key, p.T("statement.fault.other", f.Field)))
		}
		out[x.Item] = v
	}
	return out, nil
}

// ofNow tells whether what became of a statement concerns the decision that is in
// force, and not one that a complaint reversed.
func ofNow(i *rempart.Intake, e rempart.Event) bool {
	n, _ := strconv.Atoi(e.Data["reversed"])
	return n == i.Reversed(e.Data["item"])
}

// missingForDatabase names what the statement of reasons cannot do without where
// statements are sent.
func (s *Server) missingForDatabase(d rempart.Decision) []rempart.Missing {
	if !s.Flow.Transparency.On() || d.Measure == rempart.MeasureRefused {
		return nil
	}
	var m []rempart.Missing
	if len(d.ContentTypes) == 0 {
		m = append(m, rempart.Missing{Field: "content_types", Article: "24(5)", Code: "decision.content_types", Public: "Choose the kinds of content from the list."})
	}
	if d.PostedOn == "" {
		m = append(m, rempart.Missing{Field: "posted_on", Article: "24(5)", Code: "decision.posted_on_required", Public: "Give the day the content was put online: the EU's transparency database asks for it."})
	}
	return m
}

// writeExplanation proposes the explanation of a decision from what was chosen,
// in the notice's language, for the moderator to read and edit.
func (s *Server) writeExplanation(i *rempart.Intake, d rempart.Decision) string {
	p := page{Lang: i.Notice.Lang, pages: s.pages}
	measure, ground := d.Measure, d.Ground
	if measure == "" {
		measure = rempart.MeasureRemoved
	}
	if ground == "" {
		ground = "law"
	}
	text := p.T("decision.written." + string(measure) + "." + ground)
	if d.Reference != "" {
		text = p.T("decision.written."+string(measure)+"."+ground+".named", d.Reference)
	}
	if measure == rempart.MeasureRefused {
		return text
	}
	if d.Means != "" && d.Means != rempart.MeansNone {
		text += " " + p.T("decision.written.means."+string(d.Means))
	}
	if d.Until != "" {
		text += " " + p.T("decision.written.until", p.Day(d.Until))
	}
	return text
}

// statementsCSV gives every statement of reasons of this platform in the columns
// of the EU's transparency database, those of the notices decided first on top.
func (s *Server) statementsCSV(w http.ResponseWriter, r *http.Request) {
	var list []exchange.Published
	for after := ""; ; {
		page, next, err := s.DB.Intakes(r.Context(), rempart.IntakeDecided, after, 200)
		if err != nil {
			s.fail(w, r, "console", err)
			return
		}
		for _, i := range page {
			events, err := s.DB.Events(r.Context(), i.ID)
			if err != nil {
				s.fail(w, r, "console", err)
				return
			}
			uuids := map[string]string{}
			for _, e := range events {
				if e.Kind == flow.StatementSent && ofNow(i, e) {
					uuids[e.Data["item"]] = e.Data["uuid"]
				}
			}
			for _, x := range s.Flow.Statements(i) {
				list = append(list, exchange.Published{Statement: x.Statement, UUID: uuids[x.Item], Platform: s.Site, At: i.Decisions[x.Item].At})
			}
		}
		if after = next; next == "" {
			break
		}
	}
	var b strings.Builder
	if err := exchange.WriteStatements(&b, list); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="statements.csv"`)
	if _, err := w.Write([]byte(b.String())); err != nil && r.Context().Err() == nil {
		s.Log.WarnContext(r.Context(), "statements broke off", "err", err)
	}
}
