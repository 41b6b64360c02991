package web

import (
	"strings"

	"rempart"
)

// A byHandView is a notice field by field, to be pasted into a service's form,
// and the proof that it was sent.
type byHandView struct {
	Form     string // address of the service's form, as text; "" if none is known
	Caveats  string
	Fields   []pasteField
	Typed    rempart.Proof
	Today    string
	Channels []string
	Remarks  []remark
}

// A pasteField is one field of a form, with the text for it.
type pasteField struct{ Name, Text string }

// On returns the remark of a field, or nil.
func (v byHandView) On(field string) *remark { return remarkOn(v.Remarks, field) }

// byHand prepares a notice field by field, in the language of the notice.
func byHand(p page, n *rempart.Notice, svc rempart.Service, today string, wrong []remark) *byHandView {
	v := &byHandView{Form: svc.Contact.Form(), Caveats: svc.Contact.Caveats, Today: today, Typed: rempart.Proof{Day: today, Channel: "form"}, Channels: rempart.ProofChannels, Remarks: wrong}
	in := p
	in.Lang = n.Lang
	var addresses, grounds []string
	for _, i := range n.Items {
		addresses = append(addresses, i.Address)
	}
	for _, g := range n.Grounds {
		grounds = append(grounds, strings.Join([]string{g.Code, in.T("qualification.article", g.Article), g.Label}, ", "))
	}
	add := func(key, text string) {
		if text != "" {
			v.Fields = append(v.Fields, pasteField{p.T(key), text})
		}
	}
	add("paste.addresses", strings.Join(addresses, "\n"))
	add("paste.explanation", n.Explanation)
	add("paste.grounds", strings.Join(grounds, "\n"))
	add("paste.name", n.Notifier.Name)
	add("paste.email", n.Notifier.Email)
	add("paste.faith", in.T("notice.good_faith"))
	add("paste.ref", n.CaseRef)
	return v
}
