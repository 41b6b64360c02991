package web

// The form of an order that failed, POST /console/notices/{number}/orders/{id}:
//
//	action  retry: asks the platform's own system again
//	        by_hand: a moderator did it, and says so

import (
	"net/http"

	"rempart"
)

// An orderView is how far a decision is carried out by the platform's own system.
type orderView struct {
	*rempart.Order
	Says string
	Last *rempart.Attempt // nil if it was not tried yet
	Tone string           // colour of the sentence
}

// Waits tells whether a human is asked to do something.
func (v *orderView) Waits() bool { return v.State == rempart.OrderFailed }

// newOrderView returns the newest order on an item in words, or nil.
func newOrderView(p page, i *rempart.Intake, item string) *orderView {
	o := i.LastOrder(item)
	if o == nil {
		return nil
	}
	v := &orderView{Order: o, Says: p.T("order."+string(o.State)+"."+string(o.Do), p.DateTime(o.Since)), Tone: "info"}
	if n := len(o.Attempts); n > 0 {
		v.Last = &o.Attempts[n-1]
	}
	switch {
	case o.State == rempart.OrderDone:
		v.Tone = "success"
		if o.ByHand != "" {
			v.Says = p.T("order.by_hand", o.ByHand, p.DateTime(o.Since))
		}
	case o.State == rempart.OrderFailed:
		v.Tone = "danger"
	}
	return v
}

func (s *Server) orderPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	i, err := s.DB.IntakeByNumber(r.Context(), r.PathValue("number"))
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	m, _ := staffOf(r)
	id, now, code := r.PathValue("id"), s.Now(), ""
	switch r.PostForm.Get("action") {
	case "retry":
		code = "order_retried"
		err = s.DB.UpdateIntake(r.Context(), i.ID, func(i *rempart.Intake) error { return i.RetryOrder(id, m.Alias, now) })
	case "by_hand":
		code = "order_by_hand"
		err = s.DB.UpdateIntake(r.Context(), i.ID, func(i *rempart.Intake) error { return i.OrderByHand(id, m.Alias, now) })
	default:
		err = &rempart.Error{Kind: rempart.Invalid, Field: "action", Code: "form.action", Public: "This form asks for an action that does not exist."}
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.Flow.Wake()
	done(w, r, "/console/notices/"+i.Number, code)
}

// A taskRow is a task of the platform's queue, in words.
type taskRow struct {
	*rempart.Intake
	Kind rempart.IntakeTask
	Age  string
}

// taskRows are the tasks of the platform's queue, the oldest first.
func (s *Server) taskRows(r *http.Request, p page) ([]taskRow, error) {
	found, err := s.DB.IntakeTasks(r.Context(), 200)
	var out []taskRow
	for _, t := range found {
		out = append(out, taskRow{t.Intake, t.Kind, ago(p, t.Since, s.Now())})
	}
	return out, err
}
