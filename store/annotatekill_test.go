package store_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/keyring"
	"rempart/store"
)

// toLabel is how many items TestKilledLabelling has, each for two persons.
const toLabel = 40

// TestLabellingChild is run by TestKilledLabelling in another process: two persons
// label all that they are given, and then the labelling is ended.
func TestLabellingChild(t *testing.T) {
	dsn := os.Getenv("REMPART_LABELLING")
	if dsn == "" {
		t.Skip("it is a part of TestKilledLabelling")
	}
	db, err := store.Open(t.Context(), dsn, ringOf(os.Getenv("REMPART_RING")))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("\nopen")
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for done := map[string]bool{}; len(done) < 2; {
		for _, staff := range []string{"anna", "boris"} {
			id, _, err := db.DrawSampled(t.Context(), "audit", staff)
			switch rempart.KindOf(err) {
			case rempart.NotFound, rempart.Conflict: // all labelled, or ended
				done[staff] = true
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := db.LabelSampled(t.Context(), "audit", id, rempart.Labelling{StaffID: staff, Alias: rempart.Actor(staff), Values: map[string]string{"offer": "yes"}, At: at}); err != nil {
				t.Fatal(err)
			}
			fmt.Println("\nlabelled", staff, id)
		}
	}
	var doc map[string]string
	if err := db.EndAnnotation(t.Context(), "audit", at, &doc, func(all []rempart.Labelled) (rempart.Event, error) {
		return rempart.Event{Kind: "campaign.ended", Subject: "audit", Actor: "lead", At: at}, nil
	}); err != nil && rempart.KindOf(err) != rempart.Conflict {
		t.Fatal(err)
	}
	fmt.Println("\nended")
}

// ringOf opens a store with a keyring that two processes share.
func ringOf(path string) store.Options {
	o := options
	o.Keyring = func(bool) (*keyring.Ring, error) { return keyring.Open(path, "") }
	return o
}

// TestKilledLabelling kills a process that labels, and ends a labelling, again and
// again: what was acknowledged is there, nobody labels an item twice, and the end
// is whole or not there.
func TestKilledLabelling(t *testing.T) {
	everywhere(t, func(t *testing.T, dsn string) {
		ring := filepath.Join(t.TempDir(), "keyring.json")
		if _, err := keyring.Create(ring, ""); err != nil {
			t.Fatal(err)
		}
		db := open(t, dsn, ringOf(ring))
		e := rempart.Event{Kind: "campaign.items", Subject: "audit", Actor: "admin", At: time.Now()}
		if err := db.SaveCampaign(t.Context(), "audit", map[string]string{"title": "Audit"}, true, e); err != nil {
			t.Fatal(err)
		}
		items := make([]rempart.Sampled, toLabel)
		for i := range items {
			items[i] = rempart.Sampled{Name: fmt.Sprint("item-", i), Fields: []rempart.Field{{Name: "text", Text: "une annonce fictive"}}}
		}
		if _, err := db.AddSampled(t.Context(), "audit", rempart.Drawing{Seed: "s", Share: 1}, items, e); err != nil {
			t.Fatal(err)
		}
		said := map[string]int{}
		killed, ended := 0, false
		for !ended {
			kill := rand.N(12) // acknowledgements; the last of them dies between two
			cmd := exec.Command(os.Args[0], "-test.run=^TestLabellingChild$", "-test.v")
			cmd.Env = append(os.Environ(), "REMPART_LABELLING="+dsn, "REMPART_RING="+ring)
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			n, heard := 0, ""
			lines := bufio.NewScanner(out)
			for lines.Scan() {
				heard += lines.Text() + "\n"
				what, rest, _ := strings.Cut(lines.Text(), " ")
				switch what {
				case "open":
					if kill == 0 {
						time.AfterFunc(time.Duration(rand.N(int64(20*time.Millisecond))), func() { cmd.Process.Kill() })
					}
				case "labelled":
					said[rest]++
					if n++; n == kill {
						time.AfterFunc(time.Duration(rand.N(int64(5*time.Millisecond))), func() { cmd.Process.Kill() })
					}
				case "ended":
					ended = true
				}
			}
			if err := cmd.Wait(); err != nil {
				if cmd.ProcessState.Exited() {
					t.Fatalf("the child failed by itself: %v\n%s", err, heard)
				}
				killed++
			}
		}
		all, err := db.Labelled(t.Context(), "audit")
		if err != nil || len(all) != toLabel {
			t.Fatalf("%d items, %v", len(all), err)
		}
		for _, x := range all {
			if len(x.Labels) != 2 || x.Labels[0].StaffID == x.Labels[1].StaffID || x.State != rempart.SampledDone || x.Fields != nil {
				t.Errorf("%+v", x)
			}
			for _, l := range x.Labels {
				delete(said, l.StaffID+" "+x.ID)
			}
		}
		if len(said) != 0 {
			t.Errorf("acknowledged, and not there: %v", said)
		}
		if killed < 3 {
			t.Fatalf("killed only %d times: nothing was tried", killed)
		}
		t.Logf("killed %d times", killed)
	})
}
