package mail

import (
	"bufio"
	"bytes"
	"io"
	"mime"
	"net/mail"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-message"
	"github.com/emersion/go-message/charset"

	"rempart"
)

// words decodes what headers hold in other alphabets.
var words = &mime.WordDecoder{CharsetReader: charset.Reader}

// references finds Message-IDs in a header, whatever stands around them.
var references = regexp.MustCompile(`<([^<>\s]{1,300})>`)

// maxAbout is how many earlier messages of a thread are looked at.
const maxAbout = 40

// readHead reads what stands at the head of a message; what cannot be read is
// left out, and the rest is taken all the same.
func readHead(b []byte) rempart.Mail {
	h, _ := textproto.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(b), strings.NewReader("\r\n\r\n")))).ReadMIMEHeader()
	get := func(k string) string { return strings.TrimSpace(h.Get(k)) }
	m := rempart.Mail{Kind: rempart.MailReply, Subject: decodeWords(get("Subject")), From: decodeWords(get("From"))}
	if id := references.FindStringSubmatch(get("Message-Id")); id != nil {
		m.MessageID = id[1]
	}
	m.About = append(m.About, ids(get("In-Reply-To"))...)
	refs := ids(get("References"))
	slices.Reverse(refs)
	for _, r := range refs {
		if !slices.Contains(m.About, r) {
			m.About = append(m.About, r)
		}
	}
	m.About = m.About[:min(len(m.About), maxAbout)]
	for _, k := range []string{"To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To"} {
		for _, v := range h[textproto.CanonicalMIMEHeaderKey(k)] {
			m.Tags = append(m.Tags, tags(v)...)
		}
	}
	m.Tags = slices.Compact(m.Tags[:min(len(m.Tags), maxAbout)])
	// RFC 3834, section 5: anything but "no" was written by a program.
	auto, _, _ := strings.Cut(strings.ToLower(get("Auto-Submitted")), ";")
	if auto = strings.TrimSpace(auto); auto != "" && auto != "no" {
		m.Kind = rempart.MailAuto
	}
	return m
}

func ids(s string) (out []string) {
	for _, f := range references.FindAllStringSubmatch(s, maxAbout) {
		out = append(out, f[1])
	}
	return out
}

// tags returns what stands behind a plus in the addresses of a header.
func tags(s string) (out []string) {
	all, err := mail.ParseAddressList(s)
	if err != nil {
		if a, err := mail.ParseAddress(s); err == nil {
			all = []*mail.Address{a}
		}
	}
	for _, a := range all {
		local := a.Address[:max(strings.LastIndexByte(a.Address, '@'), 0)]
		if _, tag, ok := strings.Cut(local, "+"); ok && tag != "" && len(tag) <= 100 {
			out = append(out, tag)
		}
	}
	return out
}

func decodeWords(s string) string {
	if d, err := words.DecodeHeader(s); err == nil {
		return d
	}
	return s
}

// A part is a leaf of a message.
type part struct {
	*imap.BodyStructureSinglePart
	path []int
	what string // "text/plain", "text/html", "message/delivery-status", "text/rfc822-headers"
}

// parts are what a message is made of.
type parts struct {
	plain, html []part
	status      *part
	headers     *part
	bounced     string // Message-ID of the message that a report has with it
	isReport    bool   // multipart/report of report-type delivery-status
	files       []rempart.MailFile
	more        int
	seen        int
}

// Bounds on how a message may be nested.
const (
	maxDepth  = 8
	maxLeaves = 500
)

// sortParts says which parts are text to read and which are attached.
func sortParts(b imap.BodyStructure) *parts {
	p := new(parts)
	if top, ok := b.(*imap.BodyStructureMultiPart); ok && strings.EqualFold(top.Subtype, "report") {
		p.isReport = top.Extended == nil || strings.EqualFold(top.Extended.Params["report-type"], "delivery-status")
	}
	p.walk(b, nil, 0)
	return p
}

func (p *parts) walk(b imap.BodyStructure, path []int, depth int) {
	if p.seen++; p.seen > maxLeaves || depth > maxDepth {
		p.more++
		return
	}
	switch x := b.(type) {
	case *imap.BodyStructureMultiPart:
		for k, child := range x.Children {
			p.walk(child, append(slices.Clone(path), k+1), depth+1)
		}
	case *imap.BodyStructureSinglePart:
		if len(path) == 0 {
			path = []int{1} // of a message that is one part
		}
		p.leaf(part{x, path, strings.ToLower(x.MediaType())})
	}
}

func (p *parts) leaf(x part) {
	attached := x.Filename() != ""
	if d := x.Disposition(); d != nil && strings.EqualFold(d.Value, "attachment") {
		attached = true
	}
	switch {
	case p.isReport && x.what == "message/delivery-status" && p.status == nil:
		p.status = &x
	case p.isReport && x.what == "text/rfc822-headers" && p.headers == nil:
		p.headers = &x
	case p.isReport && x.what == "message/rfc822" && x.MessageRFC822 != nil && x.MessageRFC822.Envelope != nil && p.bounced == "":
		p.bounced = x.MessageRFC822.Envelope.MessageID
	case x.what == "text/plain" && !attached:
		p.plain = append(p.plain, x)
	case x.what == "text/html" && !attached:
		p.html = append(p.html, x)
	default:
		if len(p.files) == rempart.MaxMailFiles {
			p.more++
			return
		}
		p.files = append(p.files, rempart.MailFile{Name: decodeWords(x.Filename()), Type: x.what, Size: int64(x.Size)})
	}
}

// wanted lists the parts that are fetched: text that is plain, or where there is
// none what came as HTML, and a report with what it is about.
func (p *parts) wanted() []part {
	texts := p.plain
	if !slices.ContainsFunc(texts, func(x part) bool { return x.Size > 0 }) {
		texts = p.html
	}
	out := slices.Clone(texts[:min(len(texts), maxParts-2)])
	for _, x := range []*part{p.status, p.headers} {
		if x != nil {
			out = append(out, *x)
		}
	}
	for k := range out {
		out[k].path = slices.Clone(out[k].path)
	}
	return out
}

// take reads a part that was fetched; cut is that there is more of it.
func (x part) take(m *rempart.Mail, b []byte, cut bool) {
	text := x.decode(b)
	switch x.what {
	case "message/delivery-status":
		readStatus(m, text)
		return
	case "text/rfc822-headers":
		if h := readHead([]byte(text)); h.MessageID != "" {
			m.About = append([]string{h.MessageID}, m.About...)
		}
		return
	case "text/html":
		text = htmlText(text)
	}
	if m.Text != "" {
		m.Text += "\n\n"
	}
	m.Text += text
	m.Cut = m.Cut || cut
}

// decode undoes the encoding of a part and its alphabet, as far as it can be.
func (x part) decode(b []byte) string {
	var h message.Header
	h.SetContentType(x.what, x.Params)
	if x.Encoding != "" {
		h.Set("Content-Transfer-Encoding", x.Encoding)
	}
	e, err := message.New(h, bytes.NewReader(b))
	if e == nil {
		return ""
	}
	_ = err                                             // an alphabet or an encoding that nobody knows: what can be read is
	out, _ := io.ReadAll(io.LimitReader(e.Body, 4<<20)) // a part that was cut ends in the middle
	return string(out)
}

// readStatus reads a delivery status (RFC 3464): of several recipients the first
// that was not reached.
func readStatus(m *rempart.Mail, text string) {
	r := textproto.NewReader(bufio.NewReader(io.MultiReader(strings.NewReader(text), strings.NewReader("\r\n\r\n"))))
	for range 50 {
		h, err := r.ReadMIMEHeader()
		action := strings.ToLower(strings.TrimSpace(h.Get("Action")))
		if action != "" && (m.Status == "" || action == "failed") {
			m.Kind = rempart.MailAuto // delayed, relayed, delivered, expanded
			if action == "failed" {
				m.Kind = rempart.MailBounce
			}
			m.Status, m.Answer, m.Recipient = strings.TrimSpace(h.Get("Status")), behind(h.Get("Diagnostic-Code")), behind(h.Get("Final-Recipient"))
			if action == "failed" {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// behind returns what follows the type of a field, such as "smtp; 550 no".
func behind(s string) string {
	if _, v, ok := strings.Cut(s, ";"); ok {
		return strings.TrimSpace(v)
	}
	return strings.TrimSpace(s)
}

// report puts the message that bounced first among those it is about. A report
// that cannot be read stays what it is: an e-mail that somebody reads.
func (p *parts) report(m *rempart.Mail) {
	if p.isReport && p.bounced != "" {
		m.About = append([]string{strings.Trim(p.bounced, "<>")}, m.About...)
	}
}
