package web

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"

	"rempart"
	"rempart/flow"
)

// A checkView is what the check of one picture or video found. The file itself is
// gone by the time this is shown.
type checkView struct {
	Checked *flow.Checked // nil before a check
	Matches []matchLine
	Short   string // of the picture's own PDQ; "" of a video
	Images  int    // in the vPDQ of a video; 0 of a picture
	TooFlat bool
	Marks   *marksView
	Remarks []remark
}

// A matchLine is one match, in words.
type matchLine struct {
	rempart.Match
	ListName string
	Short    string
	Moment   string // of At, as moment writes it; "" if there is none
	Offset   string // of Video, without its sign
}

// moment writes seconds as people read a video's clock: 1:05, 12:00:07.
func moment(seconds float64) string {
	n := int(seconds + 0.5)
	if n >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", n/3600, n/60%60, n%60)
	}
	return fmt.Sprintf("%d:%02d", n/60, n%60)
}

func (s *Server) checkForm(w http.ResponseWriter, r *http.Request) {
	s.checkPage(w, r, http.StatusOK, checkView{})
}

func (s *Server) checkPage(w http.ResponseWriter, r *http.Request, status int, v checkView) {
	p := s.consolePage(r)
	p.Title, p.Data = p.T("check.title"), v
	s.render(w, r, status, "console/check", p)
}

// maxCheck is the most bytes of a form with a picture: the decoder's own limit
// and some room for the form around it.
const maxCheck = 65 << 20

// checkPost looks one picture up. Its bytes go from the request to the decoder
// and nowhere else: not to a file, not to the log, not to the page.
func (s *Server) checkPost(w http.ResponseWriter, r *http.Request) {
	done, err := s.upload(w, r, maxCheck)
	if err != nil {
		s.checkRefused(w, r, err)
		return
	}
	defer done()
	photo, err := photoOf(r)
	if err != nil {
		s.checkRefused(w, r, err)
		return
	}
	found, err := s.Flow.CheckFile(r.Context(), photo, flow.Upload{})
	if err != nil {
		s.checkRefused(w, r, err)
		return
	}
	p := s.consolePage(r)
	v := checkView{Checked: &found, Images: len(found.Print.Frames()), TooFlat: found.Print.Quality < rempart.MinQuality && !found.Bordered, Marks: marksOf(p, found.Provenance)}
	if v.Images == 0 {
		v.Short = short(found.Print.Value)
	}
	for _, m := range found.Matches {
		line := matchLine{Match: m, ListName: m.List, Short: short(m.Value)}
		if m.At != nil {
			line.Moment = moment(*m.At)
		}
		if m.Video != nil {
			line.Offset = moment(math.Abs(m.Video.Offset))
		}
		for _, l := range rempart.Lists {
			if l.ID == m.List {
				line.ListName = l.Name.In(p.Lang)
			}
		}
		v.Matches = append(v.Matches, line)
	}
	s.checkPage(w, r, http.StatusOK, v)
}

// photoOf returns the part of the form that holds the picture, to be read as a
// stream so that no part of it is written to a file.
func photoOf(r *http.Request) (io.Reader, error) {
	none := &rempart.Error{Kind: rempart.Invalid, Field: "photo", Code: "check.none", Public: "Choose a picture to check."}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, none
	}
	for {
		next, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, none
		}
		if err != nil {
			return nil, &rempart.Error{Kind: rempart.Invalid, Field: "photo", Code: "picture.truncated", Public: "This file is incomplete: it ends before the picture does.", Err: err}
		}
		if next.FormName() == "photo" {
			if next.FileName() == "" {
				return nil, none
			}
			return part{next}, nil
		}
	}
}

// checkRefused shows why a file could not be checked.
func (s *Server) checkRefused(w http.ResponseWriter, r *http.Request, why error) {
	var big *http.MaxBytesError
	if errors.As(why, &big) {
		why = &rempart.Error{Kind: rempart.TooLarge, Field: "photo", Code: "picture.bytes", Public: "This file is too large."}
	}
	why = bodyError(why, "")
	switch rempart.KindOf(why) {
	case rempart.Invalid, rempart.TooLarge:
		s.checkPage(w, r, statusOf(why), checkView{Remarks: remarksOf(s.consolePage(r), why)})
		return
	}
	s.fail(w, r, "console", why)
}
