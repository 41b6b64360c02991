package web

import (
	"math"
	"net/http"
	"strconv"
	"strings"

	"rempart"
	"rempart/stats"
)

// A campaignsView is the audit campaigns of this instance.
type campaignsView struct{ All []stats.Campaign }

func (s *Server) campaigns(w http.ResponseWriter, r *http.Request) {
	all, err := s.allCampaigns(r)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	p := s.consolePage(r)
	p.Title, p.Data = p.T("campaign.title"), campaignsView{all}
	s.render(w, r, http.StatusOK, "console/campaigns", p)
}

func (s *Server) allCampaigns(r *http.Request) ([]stats.Campaign, error) {
	ids, err := s.DB.Campaigns(r.Context())
	if err != nil {
		return nil, err
	}
	var out []stats.Campaign
	for _, id := range ids {
		var c stats.Campaign
		if err := s.DB.Campaign(r.Context(), id, &c); err != nil {
			return nil, err
		}
		c.Protocol = c.Protocol.In(s.lang(r))
		out = append(out, c)
	}
	return out, nil
}

// A campaignView is one campaign: its protocol, and the cards of each table.
type campaignView struct {
	stats.Campaign
	Tables   []tableView
	Labels   []string
	Remarks  []remark
	Progress rempart.Progress // of the labelling in the console; no item: there is none

	lang string // the page's
}

// TextLang is the language of the protocol's texts where it is not the page's.
func (v campaignView) TextLang() string {
	if v.Protocol.Lang == v.lang {
		return ""
	}
	return v.Protocol.Lang
}

// Double is the share of items that two persons label, in hundredths.
func (v campaignView) Double() float64 {
	if v.Protocol.Annotation == nil {
		return 0
	}
	return math.Round(1e4*v.Protocol.Annotation.Double) / 100
}

type tableView struct {
	stats.Table
	Cards []cardView
}

// A cardView is a card as it is read: every share with its numerator and
// denominator.
type cardView struct {
	Ratio, Definition      string
	Numerator              int
	Denominator            int
	Share, Low, High       string
	Method                 string
	Total, TotalLow, High2 string
	Population             int
	Kappa                  string
	Doubly                 int
	Warnings               []string
	English                bool // the warnings, whatever the page's language
}

func (s *Server) campaignShow(w http.ResponseWriter, r *http.Request) {
	var c stats.Campaign
	if err := s.DB.Campaign(r.Context(), r.PathValue("id"), &c); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.campaignPage(w, r, http.StatusOK, c, nil)
}

func (s *Server) campaignPage(w http.ResponseWriter, r *http.Request, status int, c stats.Campaign, problem error) {
	p := s.consolePage(r)
	v := s.campaignView(p, c)
	m, _ := staffOf(r)
	var err error
	if v.Progress, err = s.DB.Annotation(r.Context(), r.PathValue("id"), m.ID); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if problem != nil {
		v.Remarks = remarksOf(p, problem)
	}
	p.Title, p.Data = v.Protocol.Title, v
	s.render(w, r, status, "console/campaign", p)
}

func (s *Server) campaignView(p page, c stats.Campaign) campaignView {
	c.Protocol = c.Protocol.In(p.Lang)
	v := campaignView{Campaign: c, lang: p.Lang}
	v.Labels = c.Protocol.Labels()
	for _, t := range c.Tables {
		tv := tableView{Table: t}
		for _, x := range t.Cards {
			tv.Cards = append(tv.Cards, cardOf(p, x))
		}
		v.Tables = append(v.Tables, tv)
	}
	return v
}

// cardOf writes a card in the page's language.
func cardOf(p page, r stats.Result) cardView {
	c := r.Card.In(p.Lang)
	v := cardView{Ratio: r.Ratio, Definition: c.Definition.Positive, Numerator: c.Numerator, Denominator: c.Denominator,
		Share: shareText(p, c.Estimate), Low: shareText(p, c.Interval[0]), High: shareText(p, c.Interval[1]), Method: string(c.Method), Doubly: c.Agreement.DoublyLabelled, Warnings: c.Warnings, English: len(c.Said) == 0}
	if c.Definition.Among != "" {
		v.Definition = p.T("campaign.among", c.Definition.Positive, c.Definition.Among)
	}
	if c.Total != nil {
		v.Population, v.Total, v.TotalLow, v.High2 = c.Total.Population, grouped(p, c.Total.Estimate), grouped(p, c.Total.Interval[0]), grouped(p, c.Total.Interval[1])
	}
	if c.Agreement.Kappa != nil {
		v.Kappa = decimalOf(p, *c.Agreement.Kappa, 2)
	}
	return v
}

// Number writes a number with its thousands set apart.
func (p page) Number(n int) string { return grouped(p, float64(n)) }

// grouped writes a number without a fraction, its thousands set apart.
func grouped(p page, x float64) string {
	s, sep := strconv.FormatFloat(x, 'f', 0, 64), "\u00a0"
	if p.Lang == "en" {
		sep = ","
	}
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + sep + s[i:]
	}
	return s
}

func shareText(p page, share float64) string { return decimalOf(p, 100*share, 2) + "\u00a0%" }

func decimalOf(p page, x float64, digits int) string {
	s := strconv.FormatFloat(x, 'f', digits, 64)
	if p.Lang != "en" {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s
}
