package flow_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestStopNCIIStale does not read a source for a month, while it forgets what it
// withdrew: it is read again from its beginning, and what it does not give any
// more stops matching. Until then, and where that reading is left off in the
// middle, all goes on.
func TestStopNCIIStale(t *testing.T) {
	all := valuesOf(33, 8)
	x := &stopnciiServer{page: 2}
	srv := httptest.NewServer(x)
	defer srv.Close()
	clock := newClock()
	s := newSide(t, clock, time.Hour)
	s.reads("stopncii", srv.URL+"/v1", stopnciiKeys)
	for k, h := range all[:6] {
		x.put(100+k, h.String(), "Active")
	}
	s.read()
	wantFound(t, s, all, 0, 1, 2, 3, 4, 5)
	whole := func() bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		begun := slices.ContainsFunc(x.asked, func(q string) bool {
			return strings.HasPrefix(q, "pageSize") && strings.HasSuffix(q, "startTimestamp=10")
		})
		x.asked = nil
		return begun
	}
	whole()
	clock.advance(29 * 24 * time.Hour)
	s.read()
	if whole() {
		t.Error("read again whole after 29 days")
	}
	clock.advance(31 * 24 * time.Hour)
	x.mu.Lock()
	x.records = x.records[2:] // withdrawn, and forgotten since
	x.busy = 1
	x.mu.Unlock()
	x.put(200, all[7].String(), "Active")
	if _, err := s.ReadSource(t.Context(), "partner", nil); err == nil {
		t.Fatal("read while it is busy")
	}
	whole()
	ctx, kill := context.WithCancel(t.Context())
	s.Fault = func(point string) {
		if point == "source.saved" {
			kill()
		}
	}
	if _, err := s.ReadSource(ctx, "partner", nil); err == nil {
		t.Error("was not killed")
	}
	s.Fault = nil
	if !whole() {
		t.Error("not read again whole after 31 days, and a refusal")
	}
	wantFound(t, s, all, 0, 1, 2, 3, 4, 5)
	clock.advance(2 * time.Hour) // the lease ends
	s.read()
	if whole() {
		t.Error("begun once more where it was left off")
	}
	wantFound(t, s, all, 2, 3, 4, 5, 7)
	clock.advance(time.Hour)
	if s.read(); whole() {
		t.Error("read whole each time from then on")
	}
}
