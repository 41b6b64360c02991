package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"rempart/ledger"
	"rempart/store"
)

// verifyCmd checks what an instance has signed.
type verifyCmd struct {
	place
	Receipt    string `help:"A file with a person's receipt; checks it instead of the ledger." type:"existingfile"`
	Return     string `help:"A folder that rempart return wrote; checks it instead of the ledger." type:"existingdir"`
	Checkpoint string `help:"A file with a signed checkpoint that was kept: the ledger must extend it." type:"existingfile"`
	Key        string `help:"The instance's verifier key: checks the signature of a receipt or checkpoint without any data folder."`
	JSON       bool   `name:"json" help:"One JSON object."`
}

// Help says what the answer means.
func (c *verifyCmd) Help() string {
	return "Checks that no record of the ledger differs from what was sealed and signed, and that nothing was taken away since the checkpoint kept in ledger.head, beside the instance's key. " +
		"Cases are not compared with the ledger. Whoever has the instance's key, or the database and ledger.head, can write another ledger: only a checkpoint kept elsewhere (the one printed here) shows that."
}

// Run fails if the ledger was altered, and names the first record that was.
func (c *verifyCmd) Run(ctx context.Context, s streams) error {
	if c.Key != "" {
		return c.outside(s)
	}
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	_, key, err := i.db.Checkpoint(ctx)
	if err != nil {
		return err
	}
	v, err := ledger.ParseVerifier(key)
	if err != nil {
		return err
	}
	if c.Return != "" {
		return verifyReturn(v, c.Return, s)
	}
	if c.Receipt != "" {
		if err := c.receipt(v, s); err != nil || c.Checkpoint == "" {
			return err
		}
	}
	var kept []store.Kept
	if c.Checkpoint != "" {
		p, err := c.checkpoint(v)
		if err != nil {
			return err
		}
		kept = append(kept, store.Kept{Checkpoint: p, Where: "kept in " + c.Checkpoint})
	}
	return c.ledger(ctx, i, kept, s)
}

// A verified ledger, as it is printed and attached to a file.
type verified struct {
	ledger.Report
	SealedAt   time.Time `json:"sealed_at,omitzero"` // of the newest checkpoint, to the hour
	Verifier   string    `json:"verifier"`
	Checkpoint string    `json:"checkpoint"` // the newest one, signed; empty if nothing is sealed
}

func (c *verifyCmd) ledger(ctx context.Context, i *instance, kept []store.Kept, s streams) error {
	r, err := i.db.VerifyLedger(ctx, func(done, total int64) {
		if total > 100_000 {
			fmt.Fprintf(s.err, "\rrempart: %d of %d records", done, total)
		}
	}, kept...)
	if err != nil {
		return err
	}
	out := verified{Report: r}
	if out.Checkpoint, out.Verifier, out.SealedAt, err = i.db.CheckpointAfter(ctx, r.Newest.Size); err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(s.out).Encode(out); err != nil {
			return err
		}
	}
	if !r.Whole {
		return hinted{fmt.Errorf("the ledger was altered: %s", r.Problem), "keep the database as it is and compare it with a backup"}
	}
	if c.JSON {
		return nil
	}
	erased := ""
	if r.Erased > 0 {
		erased = fmt.Sprintf("; of %d of them only the digest is left, as their cases were erased", r.Erased)
	}
	fmt.Fprintf(s.out, "the ledger is whole: %d records, %d of them sealed%s; cases themselves are not compared with it\n", r.Records, r.Sealed, erased)
	for _, k := range kept {
		fmt.Fprintf(s.out, "it extends the checkpoint after %d records %s\n", k.Size, k.Where)
	}
	if r.Newest.Size > 0 {
		fmt.Fprintf(s.out, "instance   %s\nroot       %s\nsealed     %s\nverifier   %s\n\n%s",
			r.Newest.Origin, r.Newest.Root, out.SealedAt.Format("2006-01-02 15h UTC"), out.Verifier, out.Checkpoint)
	}
	return nil
}

// outside checks signatures with a key that was given, and nothing else.
func (c *verifyCmd) outside(s streams) error {
	v, err := ledger.ParseVerifier(strings.TrimSpace(c.Key))
	if err != nil {
		return hinted{errors.New("this is no verifier key"), "it reads name+number+letters, as rempart verify prints it on the instance; quote it"}
	}
	if c.Return != "" {
		return verifyReturn(v, c.Return, s)
	}
	if c.Receipt == "" && c.Checkpoint == "" {
		return hinted{errors.New("-key alone checks nothing"), "give -receipt FILE, -checkpoint FILE or -return FOLDER too"}
	}
	if c.Receipt != "" {
		if err := c.receipt(v, s); err != nil {
			return err
		}
	}
	if c.Checkpoint == "" {
		return nil
	}
	p, err := c.checkpoint(v)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(p)
	}
	fmt.Fprintf(s.out, "genuine: %s signed that its ledger had %d records with the root %s; the ledger itself was not read\n", p.Origin, p.Size, p.Root)
	return nil
}

// errForeign is what can be said of a note whose signature does not fit.
var errForeign = errors.New("does not match: it was altered, reformatted, or comes from another instance")

func (c *verifyCmd) receipt(v ledger.Verifier, s streams) error {
	signed, err := readNote(c.Receipt)
	if err != nil {
		return err
	}
	text, err := v.Open(signed)
	if err != nil || !strings.HasPrefix(text, "rempart receipt v1\n") {
		return hinted{fmt.Errorf("this receipt %w", errForeign), "the file must hold the whole text, from its line “rempart receipt v1” to the one that starts with —"}
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(map[string]string{"receipt": text})
	}
	fmt.Fprintf(s.out, "genuine:\n%s", text)
	return nil
}

func (c *verifyCmd) checkpoint(v ledger.Verifier) (ledger.Checkpoint, error) {
	signed, err := readNote(c.Checkpoint)
	if err != nil {
		return ledger.Checkpoint{}, err
	}
	// What rempart verify printed ends with the checkpoint: its text and its
	// signatures, without an empty line in either.
	if parts := strings.Split(signed, "\n\n"); len(parts) > 2 {
		signed = strings.Join(parts[len(parts)-2:], "\n\n")
	}
	p, err := v.Checkpoint(signed)
	if err != nil {
		return p, hinted{fmt.Errorf("this checkpoint %w", errForeign), "the file must hold the whole text: name, number of records, root, an empty line, and the one that starts with —"}
	}
	return p, nil
}

// readNote reads a signed note as people keep it: with the line ends of their
// device, and perhaps without the last one.
func readNote(name string) (string, error) {
	b, err := os.ReadFile(name)
	return strings.TrimRight(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n") + "\n", err
}
