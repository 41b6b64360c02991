package web

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"rempart"
	"rempart/stats"
)

// An annotateView is one item of a campaign that somebody labels, or, with Given,
// settles.
type annotateView struct {
	stats.Campaign
	Progress rempart.Progress
	ID       string // of the item, "" where there is none
	Item     rempart.Sampled
	Labels   []labelView
	Agreed   []rempart.Field // what both said, of an item to be settled
	Reasons  []string
	Settle   bool
	Skipping bool
	Remarks  []remark
}

// A labelView is one label of the codebook as a question.
type labelView struct {
	Name, What string
	Values     []valueView
	Problem    *remark
}

type valueView struct {
	Value, What, Key string
	Chosen, Said     bool // Said: by one of the two who differ
}

// answerKeys are the keys of answers, in their order: those that the console does
// not use for something else.
const answerKeys = "1234567890abcdfghilmopqrtvwyz"

// asked are some labels of a codebook, with what was chosen already, and with
// what was said of an item that is to be settled.
func asked(p stats.Protocol, labels []string, chosen map[string]string, said []rempart.Labelling, remarks []remark) (out []labelView) {
	n := 0
	for _, l := range labels {
		v := labelView{Name: l, What: p.Definitions[l], Problem: remarkOn(remarks, l)}
		for _, value := range p.Codebook[l] {
			x := valueView{Value: value, What: p.Definitions[l+"="+value], Chosen: chosen[l] == value,
				Said: slices.ContainsFunc(said, func(s rempart.Labelling) bool { return s.Values[l] == value })}
			if n < len(answerKeys) {
				x.Key = answerKeys[n : n+1]
			}
			n++
			v.Values = append(v.Values, x)
		}
		out = append(out, v)
	}
	return out
}

// annotated reads the campaign of a request, and how far it is.
func (s *Server) annotated(r *http.Request) (v annotateView, m rempart.Staff, err error) {
	m, _ = staffOf(r)
	v.Reasons = rempart.SkipReasons
	if err = s.DB.Campaign(r.Context(), r.PathValue("id"), &v.Campaign); err == nil {
		v.Protocol = v.Protocol.In(s.lang(r))
		v.Progress, err = s.DB.Annotation(r.Context(), r.PathValue("id"), m.ID)
	}
	return v, m, err
}

func (s *Server) annotateShow(w http.ResponseWriter, r *http.Request) {
	s.annotatePage(w, r, http.StatusOK, nil, nil, false)
}

func (s *Server) annotatePage(w http.ResponseWriter, r *http.Request, status int, chosen map[string]string, problems error, skipping bool) {
	v, m, err := s.annotated(r)
	p := s.consolePage(r)
	if err == nil && v.Progress.EndedAt.IsZero() && v.Progress.Items > 0 {
		v.ID, v.Item, err = s.DB.DrawSampled(r.Context(), v.Protocol.ID, m.ID)
		if rempart.KindOf(err) == rempart.NotFound {
			err = nil
		}
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if problems != nil {
		v.Remarks = remarksOf(p, problems)
	}
	v.Skipping, v.Labels = skipping, asked(v.Protocol, v.Protocol.Labels(), chosen, nil, v.Remarks)
	p.Title, p.Data = p.T("annotate.title"), v
	s.render(w, r, status, "console/annotate", p)
}

// answers are the values that a form chose, by label.
func answers(r *http.Request, labels []string) map[string]string {
	out := map[string]string{}
	for _, l := range labels {
		if v := r.PostForm.Get("label." + l); v != "" {
			out[l] = v
		}
	}
	return out
}

func (s *Server) annotatePost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	var c stats.Campaign
	if err := s.DB.Campaign(r.Context(), r.PathValue("id"), &c); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	m, _ := staffOf(r)
	l := rempart.Labelling{StaffID: m.ID, Alias: m.Alias, At: s.Now()}
	said := "item_labelled"
	switch r.PostForm.Get("action") {
	case "label":
		l.Values = answers(r, c.Protocol.Labels())
		if bad := rempart.CheckLabels(c.Protocol.Codebook, c.Protocol.Labels(), l.Values); bad != nil {
			s.annotatePage(w, r, http.StatusUnprocessableEntity, l.Values, bad, false)
			return
		}
	case "skip":
		said, l.Skip = "item_skipped", r.PostForm.Get("reason")
		if !slices.Contains(rempart.SkipReasons, l.Skip) {
			s.annotatePage(w, r, http.StatusUnprocessableEntity, answers(r, c.Protocol.Labels()),
				&rempart.Error{Kind: rempart.Invalid, Field: "reason", Code: "annotate.reason", Public: "Choose a reason for passing this item."}, true)
			return
		}
	default:
		s.unknownAction(w, r)
		return
	}
	err := s.DB.LabelSampled(r.Context(), c.Protocol.ID, r.PostForm.Get("item"), l)
	if rempart.KindOf(err) == rempart.Conflict && err != nil {
		s.annotatePage(w, r, http.StatusConflict, nil, err, false)
		return
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	done(w, r, "/console/campaigns/"+c.Protocol.ID+"/annotate", said)
}

func (s *Server) settleShow(w http.ResponseWriter, r *http.Request) {
	s.settlePage(w, r, http.StatusOK, nil, nil)
}

func (s *Server) settlePage(w http.ResponseWriter, r *http.Request, status int, chosen map[string]string, problems error) {
	v, m, err := s.annotated(r)
	p := s.consolePage(r)
	var x rempart.Labelled
	if err == nil && v.Progress.EndedAt.IsZero() {
		x, err = s.DB.DisputedSampled(r.Context(), v.Protocol.ID, m.ID)
		if rempart.KindOf(err) == rempart.NotFound {
			err = nil
		}
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if problems != nil {
		v.Remarks = remarksOf(p, problems)
	}
	v.Settle = true
	if len(x.Labels) == 2 {
		v.ID, v.Item = x.ID, x.Sampled
		differ := rempart.Disputed(x.Labels[0].Values, x.Labels[1].Values)
		v.Labels = asked(v.Protocol, differ, chosen, x.Labels, v.Remarks)
		for _, l := range v.Protocol.Labels() {
			if !slices.Contains(differ, l) {
				v.Agreed = append(v.Agreed, rempart.Field{Name: l, Text: x.Labels[0].Values[l]})
			}
		}
	}
	p.Title, p.Data = p.T("annotate.settle.title"), v
	s.render(w, r, status, "console/annotate", p)
}

func (s *Server) settlePost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	var c stats.Campaign
	if err := s.DB.Campaign(r.Context(), r.PathValue("id"), &c); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	m, _ := staffOf(r)
	l := rempart.Labelling{StaffID: m.ID, Alias: m.Alias, At: s.Now(), Values: answers(r, c.Protocol.Labels())}
	err := s.DB.SettleSampled(r.Context(), c.Protocol.ID, r.PostForm.Get("item"), l, func(two []rempart.Labelling) error {
		if len(two) != 2 {
			return errors.New("web: a disputed item without two labels")
		}
		differ := rempart.Disputed(two[0].Values, two[1].Values)
		for label := range l.Values {
			if !slices.Contains(differ, label) {
				delete(l.Values, label)
			}
		}
		return rempart.CheckLabels(c.Protocol.Codebook, differ, l.Values)
	})
	switch rempart.KindOf(err) {
	case rempart.Invalid, rempart.Conflict:
		s.settlePage(w, r, statusOf(err), l.Values, err)
		return
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	done(w, r, "/console/campaigns/"+c.Protocol.ID+"/settle", "item_settled")
}

// annotateEnd ends the labelling, and makes the table and the cards of it in the
// same transaction.
func (s *Server) annotateEnd(w http.ResponseWriter, r *http.Request) {
	m, _ := staffOf(r)
	at := s.Now()
	var c stats.Campaign
	err := s.DB.EndAnnotation(r.Context(), r.PathValue("id"), at, &c, func(all []rempart.Labelled) (rempart.Event, error) {
		t, err := c.TakeLabelled(all, at)
		if errors.Is(err, stats.ErrEmpty) {
			return rempart.Event{}, &rempart.Error{Kind: rempart.Conflict, Code: "annotate.empty", Public: "There are too few labels to make every figure of the protocol: one of them would have no denominator.", Err: err}
		}
		if err != nil {
			return rempart.Event{}, err
		}
		c.Tables = append(c.Tables, t)
		return rempart.Event{Kind: "campaign.ended", Subject: c.Protocol.ID, Actor: m.Alias, At: at, Data: map[string]string{"table": t.SHA256, "rows": strconv.Itoa(t.Rows)}}, nil
	})
	if rempart.KindOf(err) == rempart.Conflict && err != nil {
		var now stats.Campaign
		if err := s.DB.Campaign(r.Context(), r.PathValue("id"), &now); err != nil {
			s.fail(w, r, "console", err)
			return
		}
		s.campaignPage(w, r, http.StatusConflict, now, err)
		return
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	done(w, r, "/console/campaigns/"+c.Protocol.ID, "labelling_ended")
}

// annotateFile gives all labels as the table that the cards were made of.
func (s *Server) annotateFile(w http.ResponseWriter, r *http.Request) {
	var c stats.Campaign
	err := s.DB.Campaign(r.Context(), r.PathValue("id"), &c)
	var all []rempart.Labelled
	if err == nil {
		all, err = s.DB.Labelled(r.Context(), c.Protocol.ID)
	}
	var b bytes.Buffer
	if err == nil {
		err = c.Protocol.WriteLabels(&b, all)
	}
	if err == nil {
		err = s.viewed(r, "campaign.taken_out", c.Protocol.ID, "labels")
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+c.Protocol.ID+`-labels.csv"`)
	w.Write(b.Bytes())
}
