package flow_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"rempart"
	"rempart/flow"
	"rempart/pdq"
)

// An oracle answers whether each value matches, and at which distance.
type oracle func(values ...pdq.Hash) []rempart.Match

func (s *side) oracle(up flow.Upload, batch bool) oracle {
	return func(values ...pdq.Hash) []rempart.Match {
		s.t.Helper()
		var queries []flow.Query
		for _, h := range values {
			queries = append(queries, pdqQuery(h))
		}
		out := make([]rempart.Match, len(values))
		ask := func(at int, queries []flow.Query) {
			r, _, err := s.Match(s.t.Context(), queries, up)
			if err != nil {
				s.t.Fatal(err)
			}
			for k, x := range r {
				out[at+k].Distance = -1
				if len(x.Matches) > 0 {
					out[at+k] = x.Matches[0]
				}
			}
		}
		if batch {
			ask(0, queries)
			return out
		}
		for k := range queries {
			ask(k, queries[k:k+1])
		}
		return out
	}
}

func bit(h pdq.Hash, b int) pdq.Hash {
	h[b/8] ^= 1 << (b % 8)
	return h
}

// byDistance walks to the stored value by the distances that are answered.
func byDistance(ask oracle, from pdq.Hash) pdq.Hash {
	best, d := from, ask(from)[0].Distance
	for b := range 256 {
		if m := ask(bit(best, b))[0]; m.Distance >= 0 && m.Distance < d {
			best, d = bit(best, b), m.Distance
		}
	}
	return best
}

// byBoundary learns it from yes and no alone: at the edge of what matches, a flipped
// bit goes on matching if it was wrong before. It trusts the answers to its first
// trust questions about bits: to trust later ones could only mislead it.
func byBoundary(ask oracle, from pdq.Hash, trust int) pdq.Hash {
	r := rand.New(rand.NewPCG(1, 2))
	edge := from
	for _, b := range r.Perm(256) {
		if ask(bit(edge, b))[0].Distance < 0 {
			break
		}
		edge = bit(edge, b)
	}
	var probes []pdq.Hash
	order := r.Perm(256)[:trust]
	for _, b := range order {
		probes = append(probes, bit(edge, b))
	}
	out := from // of bits that it did not ask about, it believes the copy that it has
	for k, m := range ask(probes...) {
		b := order[k]
		if set := edge[b/8] ^ from[b/8]; (set>>(b%8)&1 == 1) != (m.Distance >= 0) {
			out = bit(out, b)
		}
	}
	return out
}

// TestProbes attacks a listed value by lookups: it is found by whoever is told
// distances, or yes and no without end; and by nobody whose key may only look up.
func TestProbes(t *testing.T) {
	s := newSide(t, newClock(), patience)
	stored := hash(1)
	s.confirm(s.submit(reportOf("", medium(stored))))
	start := flip(stored, 20) // a copy that the attacker has
	s.matches(pdqQuery(start), flow.Upload{})
	open := s.oracle(flow.Upload{}, false)
	if got := byDistance(open, start).Distance(stored); got != 0 {
		t.Errorf("by full answers the attack ends %d bits away: it shows nothing", got)
	}
	if got := byBoundary(open, start, 256).Distance(stored); got != 0 {
		t.Errorf("by yes and no without end the attack ends %d bits away: it shows nothing", got)
	}
	n := 0
	for _, batch := range []bool{false, true} {
		for _, trust := range []int{4, 8, 16, 32, 64, 256} {
			n++
			only := flow.Upload{Peer: fmt.Sprint("attacker-", n), Only: true}
			got := byBoundary(s.oracle(only, batch), start, trust).Distance(stored)
			t.Logf("batch %v, %d answers trusted: %d bits away", batch, trust, got)
			if got < 12 {
				t.Errorf("batch %v, %d answers trusted: the attack came to %d bits from the stored value, from 20", batch, trust, got)
			}
		}
	}
	tasks := s.listTasks()
	told := map[string]int{}
	for _, k := range tasks {
		if k.Kind != rempart.EntryProbed || k.Stopped || k.Hits != rempart.DefaultProbes {
			t.Errorf("task %+v", k)
		}
		told[k.Peer]++
	}
	if told["attacker-6"] != 1 || told["attacker-12"] != 1 {
		t.Errorf("tasks by key: %v, want one for each that asked for all bits", told)
	}
	for _, k := range tasks {
		s.decide(k, rempart.TaskKeep)
	}
	if left := s.listTasks(); len(left) != 0 || len(s.matches(pdqQuery(stored), flow.Upload{})) != 1 {
		t.Errorf("after the decision: %+v", left)
	}
}

// TestProbesOfCopies sends what a platform sends: many encodings of one picture, which
// all match; other pictures, which do not; and all after a withdrawal.
func TestProbesOfCopies(t *testing.T) {
	s := newSide(t, newClock(), patience)
	a, b := hash(1), pdq.Hash{}
	for k := range b {
		b[k] = byte(37 * k * k)
	}
	if a.Distance(b) < 80 {
		t.Fatalf("the pictures are %d bits apart", a.Distance(b))
	}
	c := s.submit(reportOf("", medium(a)))
	s.confirm(c)
	s.confirm(s.submit(reportOf("", medium(b))))
	up := flow.Upload{Peer: "platform", Only: true}
	s.matches(pdqQuery(a), flow.Upload{})
	ask := s.oracle(up, false)
	r := rand.New(rand.NewPCG(3, 4))
	for k := range 300 {
		copied := []pdq.Hash{a, b}[k%2]
		for range r.IntN(26) {
			copied = bit(copied, r.IntN(256))
		}
		var other pdq.Hash
		for i := range other {
			other[i] = byte(r.Uint32())
		}
		got := ask(copied, other)
		if got[0].Distance < 0 || got[1].Distance >= 0 {
			t.Fatalf("copy %d, of another encoding: %+v", k, got)
		}
	}
	d := c.ID
	if err := s.DB.UpdateCase(t.Context(), d, "", func(c *rempart.Case) error {
		for _, i := range c.Items {
			if i.Kind == rempart.ItemMedium {
				return c.WithdrawFingerprint(i.ID, "ana", s.Now())
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.matches(pdqQuery(a), flow.Upload{})
	if got := ask(flip(a, 3), flip(a, 17), flip(b, 3)); got[0].Distance >= 0 || got[1].Distance >= 0 || got[2].Distance < 0 {
		t.Errorf("after the withdrawal of one: %+v", got)
	}
}
