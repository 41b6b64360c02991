package storetest

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"rempart"
	"rempart/ledger"
)

func (e *env) tell(subject string, n int) error {
	var c rempart.Consequences
	for i := range n {
		c.Events = append(c.Events, rempart.Event{Kind: "test.done", Subject: subject, Actor: rempart.ActorSystem, At: e.now(), Data: map[string]string{"n": fmt.Sprint(i), "a": "b"}})
	}
	return e.db.Commit(e.ctx, "", c)
}

func (e *env) verified(records, sealed int64) {
	e.Helper()
	rep, err := e.db.VerifyLedger(e.ctx, nil)
	e.ok(err)
	if !rep.Whole || rep.FirstBad != -1 || rep.Records != records || rep.Sealed != sealed {
		e.Errorf("ledger %+v, want whole, %d records, %d sealed", rep, records, sealed)
	}
}

func ledgerWhole(e *env) {
	e.verified(0, 0)
	if n, err := e.db.Seal(e.ctx); n != 0 || err != nil {
		e.Errorf("sealing nothing: %d, %v", n, err)
	}
	if signed, verifier, err := e.db.Checkpoint(e.ctx); signed != "" || verifier == "" || err != nil {
		e.Errorf("checkpoint of nothing: %q, verifier %q, %v", signed, verifier, err)
	}
	total := int64(0)
	for i, n := range []int{1, 1, 3, 0, 8, 2500, 2} {
		e.ok(e.tell(fmt.Sprint("subject-", i), n))
		e.verified(total+int64(n), total)
		total += int64(n)
		if sealed, err := e.db.Seal(e.ctx); sealed != n || err != nil {
			e.Fatalf("sealed %d of %d records: %v", sealed, n, err)
		}
		e.verified(total, total)
	}
	// A stranger checks a checkpoint and a proof with stock tools.
	signed, verifier, err := e.db.Checkpoint(e.ctx)
	e.ok(err)
	v, err := note.NewVerifier(verifier)
	e.ok(err)
	n, err := note.Open([]byte(signed), note.VerifierList(v))
	e.ok(err)
	if want := fmt.Sprintf("hub.exemple.test\n%d\n", total); !strings.HasPrefix(n.Text, want) {
		e.Errorf("checkpoint %q, want it to begin %q", n.Text, want)
	}
	for _, number := range []int64{0, 1, 7, 12, 2000, total - 1} {
		p, err := e.db.Prove(e.ctx, number)
		e.ok(err)
		e.ok(p.Check(verifier))
		p.Record = bytes.Replace(p.Record, []byte("test.done"), []byte("test.dune"), 1)
		if p.Check(verifier) == nil {
			e.Errorf("an altered record %d was proved", number)
		}
	}
	_, err = e.db.Prove(e.ctx, total)
	e.kind(err, rempart.NotFound)
	if err := e.db.Commit(e.ctx, "", rempart.Consequences{Events: []rempart.Event{{Kind: "test.done", Subject: "s", Actor: "a", At: e.now(), Data: map[string]string{"a": "\xff"}}}}); err == nil {
		e.Error("an event that is not UTF-8 was written")
	}
	events, err := e.db.Events(e.ctx, "subject-2")
	e.ok(err)
	if len(events) != 3 || events[2].Data["n"] != "2" || !events[0].At.Equal(e.now()) {
		e.Errorf("events in the order they were written: %v", events)
	}
	done := int64(0)
	_, err = e.db.VerifyLedger(e.ctx, func(n, of int64) {
		if n < done || n > of || of != total {
			e.Errorf("progress went from %d to %d of %d", done, n, of)
		}
		done = n
	})
	e.ok(err)
	if done != total {
		e.Errorf("progress ended at %d of %d", done, total)
	}
}

// ledgerTogether lets four seal while eight write: every record gets one place.
func ledgerTogether(e *env) {
	const writers, each = 8, 12
	sealed := make([]int, 4)
	for _, err := range together(writers+4, func(w int) error {
		if w >= writers {
			for range 8 {
				n, err := e.db.Seal(e.ctx)
				if err != nil {
					return err
				}
				sealed[w-writers] += n
			}
			return nil
		}
		for range each {
			if err := e.tell(fmt.Sprint("writer-", w), 2); err != nil {
				return err
			}
		}
		return nil
	}) {
		e.ok(err)
	}
	last, err := e.db.Seal(e.ctx)
	e.ok(err)
	sum := last
	for _, n := range sealed {
		sum += n
	}
	if want := writers * each * 2; sum != want {
		e.Errorf("%d records were sealed, want %d", sum, want)
	}
	e.verified(writers*each*2, writers*each*2)
}

func signing(e *env) {
	a, err := e.db.Sign("a receipt\nof two lines")
	e.ok(err)
	b, err := e.db.Sign("a receipt\nof two lines\n")
	e.ok(err)
	if a != b {
		e.Error("the same text gave two notes")
	}
	_, verifier, err := e.db.Checkpoint(e.ctx)
	e.ok(err)
	v, err := ledger.ParseVerifier(verifier)
	e.ok(err)
	if text, err := v.Open(a); text != "a receipt\nof two lines\n" || err != nil {
		e.Errorf("the note opens as %q, %v", text, err)
	}
	if _, err := v.Open(strings.Replace(a, "two", "ten", 1)); err == nil {
		e.Error("an altered note opens")
	}
	// Nobody gets a checkpoint signed by calling it a receipt.
	e.ok(e.tell("subject", 1))
	_, err = e.db.Seal(e.ctx)
	e.ok(err)
	signed, _, err := e.db.Checkpoint(e.ctx)
	e.ok(err)
	text, err := v.Open(signed)
	e.ok(err)
	for _, fake := range []string{text, strings.TrimSuffix(text, "\n"), text + "more\n", text + "more"} {
		_, err := e.db.Sign(fake)
		e.kind(err, rempart.Invalid)
	}
}

func secrets(e *env) {
	want, err := hkdf.Key(sha256.New, Key, nil, "rempart case code", 32)
	e.ok(err)
	if !bytes.Equal(e.db.Secret("case code"), want) {
		e.Error("the secret of a use is not HKDF-SHA256 of the instance's key: old codes would no longer open")
	}
	if bytes.Equal(e.db.Secret("a"), e.db.Secret("b")) {
		e.Error("two uses have one secret")
	}
	e.ok(e.db.Ping(e.ctx))
}
