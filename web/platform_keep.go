package web

import (
	"net/http"
	"time"

	"rempart"
)

// A heldForm is the form of a hold that came back.
type heldForm struct {
	Typed   string
	Remarks []remark
}

// keepingNotice says until when a notice received is kept, with its decisions and
// complaints.
func (s *Server) keepingNotice(p page, i *rempart.Intake) keepView {
	v := keepView{Policy: p.T("keep.notice.policy", p.T("keep.class."+string(i.RetentionClass())))}
	keep := s.Flow.Retention[i.RetentionClass()]
	at, ok := i.EraseAt(s.Flow.Retention)
	switch {
	case i.Hold != nil:
		v.Says = p.T("keep.notice.held")
	case keep <= 0:
		v.Says = p.T("keep.endless")
	case !ok:
		v.Says = p.N("keep.notice.open", int(max(keep, rempart.MinNoticeRetention)/(24*time.Hour)))
	case !at.After(s.Now()):
		v.Says = p.T("keep.due")
	default:
		left := int((at.Sub(s.Now()) + 24*time.Hour - 1) / (24 * time.Hour))
		v.Says, v.Until = p.N("keep.closed", left, p.Date(at)), at
	}
	return v
}

// noticeHold places or lifts a legal hold on a notice received.
func (s *Server) noticeHold(w http.ResponseWriter, r *http.Request) {
	i, ok := s.postedIntake(w, r)
	if !ok {
		return
	}
	m, _ := staffOf(r)
	reason, code := plainText(r.PostForm.Get("reason")), "hold_placed"
	change := (*rempart.Intake).PlaceHold
	switch r.PostForm.Get("action") {
	case "place":
	case "lift":
		change, code = (*rempart.Intake).LiftHold, "hold_lifted"
	default:
		s.unknownAction(w, r)
		return
	}
	err := s.DB.UpdateIntake(r.Context(), i.ID, func(i *rempart.Intake) error { return change(i, reason, m.Alias, s.Now()) })
	s.answered(w, r, i, err, code, &triedForm{what: holdTried, typed: reason})
}
