package web

import (
	"net/http"
	"strings"

	"rempart"
)

// An adminView is the instance as its administrator sees it: no case, no
// notice, no key.
type adminView struct {
	Staff      []rempart.Staff
	Services   []rempart.Service
	Peers      []rempart.Peer
	PeerNames  map[string]string
	Waiting    int
	Running    int
	Dead       int
	Checkpoint checkpoint
	Verifier   string
	Set        *leastView
}

// A checkpoint is the ledger's newest one: its origin, how many records it
// covers, and their root.
type checkpoint struct {
	Origin, Size, Root string
	Note               string
}

// readCheckpoint reads the first lines of a signed note as the ledger writes
// them: origin, size, root in base64.
func readCheckpoint(note string) checkpoint {
	c := checkpoint{Note: note}
	if lines := strings.Split(note, "\n"); len(lines) >= 3 {
		c.Origin, c.Size, c.Root = lines[0], lines[1], lines[2]
	}
	return c
}

func (s *Server) admin(w http.ResponseWriter, r *http.Request) {
	v, err := s.adminView(r)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	p := s.consolePage(r)
	p.Title, p.Data = p.T("admin.title"), v
	s.render(w, r, http.StatusOK, "console/admin", p)
}

func (s *Server) adminView(r *http.Request) (v adminView, err error) {
	ctx := r.Context()
	if v.Staff, err = s.DB.AllStaff(ctx); err != nil {
		return v, err
	}
	if v.Services, err = s.DB.Services(ctx); err != nil {
		return v, err
	}
	if v.Peers, err = s.DB.Peers(ctx); err != nil {
		return v, err
	}
	v.PeerNames = map[string]string{}
	for _, p := range v.Peers {
		v.PeerNames[p.ID] = p.Name
	}
	jobs, err := s.DB.JobCounts(ctx)
	if err != nil {
		return v, err
	}
	v.Waiting, v.Running, v.Dead = jobs["waiting"], jobs["running"], jobs["dead"]
	note, verifier, err := s.DB.Checkpoint(ctx)
	if err != nil {
		return v, err
	}
	v.Checkpoint, v.Verifier = readCheckpoint(note), verifier
	v.Set, err = s.leastView(r)
	return v, err
}
