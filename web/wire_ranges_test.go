package web

import (
	"fmt"
	"testing"
	"time"

	"rempart"
)

// TestFetchHashesMoved changes records while only some pages were read, some of
// them read and some not: each comes again at its later second, to whoever reads
// on and to whoever breaks off and begins again, and none is lost.
func TestFetchHashesMoved(t *testing.T) {
	for pages := 1; pages <= 3; pages++ {
		for _, on := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d pages, with the token %v", pages, on), func(t *testing.T) {
				d := wired(t)
				var all []rempart.Entry
				for k := range 16 {
					all = append(all, entryOf(fmt.Sprintf("e%d", k), "7F3K-9QXM", picture(k)))
				}
				d.own(rempart.EntryActive, all...)
				first := d.now.Unix()
				c := &nciiClient{d: d, from: 10, has: map[string]map[string]any{}}
				token, more := "", true
				for range pages {
					token, more = c.page(token, 4)
				}
				if !more || len(c.has) != 4*pages {
					t.Fatalf("%d records in %d pages", len(c.has), pages)
				}
				d.now = d.now.Add(time.Second)
				// Another case lists the same picture, and the first no longer does.
				d.own(rempart.EntryActive, entryOf("n0", "ABCD-2345", picture(0)), entryOf("n15", "ABCD-2345", picture(15)))
				d.own(rempart.EntryWithdrawn, all[0], all[15], all[1], all[14])
				d.now = d.now.Add(time.Second)
				for n := 0; on && more; n++ {
					if n > 50 {
						t.Fatal("no end")
					}
					token, more = c.page(token, 4)
				}
				c.from = c.kept()
				c.fetch()
				if len(c.has) != 14 {
					t.Errorf("%d records, want 14", len(c.has))
				}
				for k := range 16 {
					r, ok := c.has["ImagePDQ "+picture(k).Value]
					gone, later := k == 1 || k == 14, k == 0 || k == 15
					if ok == gone {
						t.Errorf("record %d is there: %v", k, ok)
					} else if ok && (fmt.Sprint(r["lastModtimestamp"]) > fmt.Sprint(first)) != later {
						t.Errorf("record %d is of %v, the first were of %d", k, r["lastModtimestamp"], first)
					}
				}
			})
		}
	}
}

// TestNCMECShorterRanges asks as python-threatexchange does: a range whose first
// page is not all is abandoned, and one a quarter as long asked for, down to a
// second. Each range begins where the one before ended, by the second itself or by
// the next: both ends count, so the union is the whole either way.
func TestNCMECShorterRanges(t *testing.T) {
	d := wired(t)
	start := d.now.Unix()
	at, want := map[int64][]string{}, map[string]string{} // what is at each second, and at the end
	for s := range 41 {
		for k := range s % 7 {
			e := entryOf(fmt.Sprintf("e%d.%d", s, k), "7F3K-9QXM", picture(100*s+k))
			d.own(rempart.EntryActive, e)
			at[d.now.Unix()] = append(at[d.now.Unix()], "1-"+e.ID)
			want["1-"+e.ID] = e.Fingerprint.Value
		}
		if _, err := d.db.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.now = d.now.Add(time.Second)
	}
	end := d.now.Unix() - 1
	whole := &ncmecClient{d: d, has: map[string]string{}}
	whole.all(start, end)
	same := func(has map[string]string, name string) {
		t.Helper()
		for id, v := range want {
			if has[id] != v {
				t.Errorf("%s: %s is missing", name, id)
			}
		}
		if len(has) != len(want) || len(want) < 100 {
			t.Errorf("%s: %d entries, want %d", name, len(has), len(want))
		}
	}
	same(whole.has, "the whole")
	for s := start; s <= end; s++ {
		one := &ncmecClient{d: d, has: map[string]string{}}
		one.all(s, s)
		if len(one.has) != len(at[s]) {
			t.Errorf("second %d: %d entries, want %d", s-start, len(one.has), len(at[s]))
		}
		for _, id := range at[s] {
			if one.has[id] == "" {
				t.Errorf("second %d: %s is missing", s-start, id)
			}
		}
	}
	for _, step := range []int64{0, 1} {
		c := &ncmecClient{d: d, has: map[string]string{}}
		shortest := end - start
		for from, length := start, end-start; from <= end; {
			to := min(from+length, end)
			probe := &ncmecClient{d: d, has: map[string]string{}}
			next := probe.read(span(from, to) + "&size=10")
			if next != "" && length > 1 {
				length = max(length/4, 1)
				shortest = min(shortest, length)
				continue
			}
			for id, v := range probe.has {
				c.has[id] = v
			}
			for next != "" {
				next = c.read(next)
			}
			if to == end {
				break
			}
			from = to + step
		}
		if shortest != 2 && shortest != 1 {
			t.Errorf("the shortest range was %d s: the ranges were not too large", shortest)
		}
		same(c.has, fmt.Sprintf("ranges that begin %d s after the last", step))
	}
}
