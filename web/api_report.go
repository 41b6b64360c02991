package web

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rempart"
	"rempart/flow"
)

// reportBody is a report as JSON.
type reportBody struct {
	Lang           string           `json:"lang,omitempty" enum:"fr,en" default:"fr" doc:"language to answer in"`
	Depicted       string           `json:"depicted,omitempty" enum:"self,child,other,unknown" doc:"who is in the picture"`
	Age            string           `json:"age,omitempty" enum:"under_15,15_17,adult,unknown" doc:"age of who is in the picture"`
	Made           string           `json:"made,omitempty" enum:"fake_sexual,real_sexual,fake_other,unknown" doc:"what was made of the picture"`
	Seen           string           `json:"seen,omitempty" enum:"online_public,private,nowhere,unknown" doc:"where it was seen"`
	Threat         string           `json:"threat,omitempty" enum:"none,money,images,force,other" doc:"what is demanded under threat"`
	Relation       string           `json:"relation,omitempty" enum:"unknown,partner,same_school,adult_to_minor" doc:"of the author to the person"`
	Repeated       bool             `json:"repeated,omitempty"`
	SeveralAuthors bool             `json:"several_authors,omitempty"`
	Words          string           `json:"words,omitempty" doc:"what happened, at most 10000 characters"`
	Addresses      []string         `json:"addresses,omitempty" doc:"where the content is, at most 50 http addresses"`
	Media          []rempart.Medium `json:"media,omitempty" doc:"pictures, known by the fingerprints computed on the person's own device; at most 20, each with at most 24 fingerprints (a video has one vpdq, of at most 4096 images)"`
}

func (b reportBody) report() rempart.Report {
	return rempart.Report{Lang: b.Lang, Depicted: rempart.Depicted(b.Depicted), Age: rempart.Age(b.Age), Made: rempart.Made(b.Made),
		Seen: rempart.Seen(b.Seen), Threat: rempart.Threat(b.Threat), Relation: rempart.Relation(b.Relation),
		Repeated: b.Repeated, SeveralAuthors: b.SeveralAuthors, Words: b.Words, Addresses: b.Addresses, Media: b.Media}
}

type reportAnswer struct {
	Body struct {
		Code    string `json:"code" doc:"the case code: shown once, opens the follow-up"`
		Receipt string `json:"receipt" doc:"signed proof that the report was received"`
		Status  string `json:"status" enum:"received"`
	}
}

// followItem is one item on the follow-up.
type followItem struct {
	Kind     rempart.ItemKind  `json:"kind" enum:"address,medium"`
	Address  string            `json:"address,omitempty"`
	State    rempart.ItemState `json:"state"`
	Sentence string            `json:"sentence" doc:"the state in words, in the report's language"`
	Since    string            `json:"since" format:"date" doc:"day of the present state"`
	Service  string            `json:"service,omitempty"`
	Measure  rempart.Measure   `json:"measure,omitempty"`
	Stopped  int               `json:"stopped" doc:"uploads of it that were stopped"`
}

type followAnswer struct {
	Body struct {
		Status   string          `json:"status" doc:"state of the case"`
		Items    []followItem    `json:"items"`
		Messages []followMessage `json:"messages" doc:"between the person and those who work on the case, the oldest first"`
		Next     string          `json:"next" doc:"what happens next, in the report's language"`
		Stopped  int             `json:"stopped" doc:"uploads that were stopped, over all items"`
	}
}

// followMessage is one message.
type followMessage struct {
	From string `json:"from" enum:"person,team"`
	Date string `json:"date" format:"date"`
	Text string `json:"text"`
}

// reportAPI registers what a person can do by program.
func (s *Server) reportAPI(a huma.API) {
	type in struct {
		Key  string `header:"Idempotency-Key" minLength:"22" maxLength:"200" doc:"chosen at random by you, of at least 128 bits: the same key with the same report gives the same answer, and so the case code"`
		Body reportBody
	}
	huma.Register(a, huma.Operation{OperationID: "report", Method: http.MethodPost, Path: "/api/v1/reports", Tags: []string{"person"},
		Summary: "Send a report", Description: "Without a key: anybody may.", DefaultStatus: http.StatusCreated, MaxBodyBytes: maxForm},
		func(ctx context.Context, i *in) (*reportAnswer, error) {
			sub, err := s.Flow.Submit(ctx, i.Body.report(), i.Key)
			if err != nil {
				return nil, s.fault(ctx, err, "report")
			}
			o := &reportAnswer{}
			o.Body.Code, o.Body.Receipt, o.Body.Status = sub.Code.String(), sub.Receipt, "received"
			return o, nil
		})

	type code struct {
		Body struct {
			Code string `json:"code" doc:"as it was shown; spaces, dashes and case do not matter"`
		}
	}
	huma.Register(a, huma.Operation{OperationID: "follow-up", Method: http.MethodPost, Path: "/api/v1/follow-up", Tags: []string{"person"},
		Summary: "What became of a report", Description: "Without a key: the case code opens it. It goes in the body, never in an address.", MaxBodyBytes: 4 << 10},
		func(ctx context.Context, i *code) (*followAnswer, error) {
			v, err := s.followUp(ctx, i.Body.Code)
			if err != nil {
				return nil, s.fault(ctx, err, "follow-up")
			}
			return s.followAnswer(v), nil
		})

	type messageIn struct {
		Body struct {
			Code string `json:"code" doc:"as it was shown; spaces, dashes and case do not matter"`
			Text string `json:"text" doc:"at most 4000 characters"`
		}
	}
	huma.Register(a, huma.Operation{OperationID: "message", Method: http.MethodPost, Path: "/api/v1/messages", Tags: []string{"person"},
		Summary: "Write to those who work on a case", Description: "Without a key: the case code opens it. Answers as the follow-up does. The same text twice in a row is one message.", MaxBodyBytes: 32 << 10},
		func(ctx context.Context, i *messageIn) (*followAnswer, error) {
			_, err := rempart.ParseCaseCode(i.Body.Code)
			var v *flow.Follow
			if err == nil {
				v, err = s.hear(ctx, i.Body.Code, "", i.Body.Text)
			}
			if err != nil {
				return nil, s.fault(ctx, err, "message")
			}
			return s.followAnswer(v), nil
		})
}

// followAnswer is what a program of the person is told of her case.
func (s *Server) followAnswer(v *flow.Follow) *followAnswer {
	o := &followAnswer{}
	o.Body.Status, o.Body.Stopped, o.Body.Messages, o.Body.Items = string(v.State), v.Stops, []followMessage{}, []followItem{}
	for _, m := range v.Messages {
		b := followMessage{From: "team", Date: m.At.Format(time.DateOnly), Text: m.Text}
		if m.Mine {
			b.From = "person"
		}
		o.Body.Messages = append(o.Body.Messages, b)
	}
	for _, it := range v.Items {
		if v.Minor { // as on the page: the host says enough, and opens nothing
			it.Address = siteOf(it.Address)
		}
		o.Body.Items = append(o.Body.Items, followItem{Kind: it.Kind, Address: it.Address, State: it.State,
			Sentence: s.itemSentence(v.Lang, it), Since: it.Since.Format(time.DateOnly), Service: it.Service, Measure: it.Measure, Stopped: it.Stops})
	}
	o.Body.Next = s.nextSentence(v.Lang, v)
	return o
}

// siteOf is the name of the site of an address.
func siteOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
