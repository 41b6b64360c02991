package flow

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/store"
)

// ImportOptions say what is done with a file of fingerprints.
type ImportOptions struct {
	List   string              // that they enter
	Source string              // whose they are, as [rempart.SourceID] gives it; "" is our own
	Usual  rempart.Fingerprint // type and quality where a line says none; quality 0 refuses a PDQ without
	Whole  bool                // the file is all that the source has: what it does not hold any more is withdrawn
	DryRun bool                // only say what would change
	Temp   string              // folder for what does not fit in memory; "" is the system's
	By     rempart.Actor

	Progress func(Imported)            // called now and then, if set
	Refused  func(*exchange.LineError) // called for each line that is refused, if set
}

// Imported counts what an import found and did. Each line that is not empty is
// counted once in Valid, Refused, Flat or Unknown; each value among the valid once
// in Twice, Same or Added.
type Imported struct {
	Phase     string `json:"phase"`     // "read", "compare", "done"
	Lines     int    `json:"lines"`     // read, empty ones too
	Valid     int    `json:"valid"`     // fingerprints that may enter a list
	Refused   int    `json:"refused"`   // lines that give no fingerprint
	Flat      int    `json:"flat"`      // PDQ of a quality below 50, or of a value that no picture gives
	Unknown   int    `json:"unknown"`   // PDQ of which nobody says the quality
	Twice     int    `json:"twice"`     // the same as another one of the file
	Same      int    `json:"same"`      // listed already
	Added     int    `json:"added"`     // that entered, or would
	Missing   int    `json:"missing"`   // listed, and not in the file
	Withdrawn int    `json:"withdrawn"` // of those: that left the list, or would
}

// importPart is how many values one transaction of an import saves: what a crash
// loses at most.
const importPart = 10_000

// Import takes the fingerprints of a file into a list. It sorts them in a bounded
// memory and compares them with what the list holds of the same source, so that
// what is there already costs nothing: an import that broke off, or was killed, is
// begun again with the same file and goes on where it was. Lines that give no
// fingerprint are refused one by one.
func (f *Flow) Import(ctx context.Context, in io.Reader, o ImportOptions) (Imported, error) {
	if _, ok := rempart.ListByID(o.List); !ok {
		return Imported{}, &rempart.Error{Kind: rempart.Invalid, Field: "list", Code: "list.unknown", Public: "There is no list of this name."}
	}
	m := importing{f: f, ctx: ctx, o: o, name: rempart.NewID(f.Now()), shown: time.Now()}
	m.n.Phase = "read"
	s := &sorter{dir: o.Temp, most: sortMost}
	defer s.close()
	if err := m.read(in, s); err != nil {
		return m.n, err
	}
	m.n.Phase = "compare"
	if !o.DryRun {
		if err := m.note("list.import_began"); err != nil {
			return m.n, err
		}
	}
	twice, err := s.all(m.compare)
	if err == nil {
		err = m.finish()
	}
	m.n.Twice = twice
	if err != nil {
		return m.n, err
	}
	m.n.Phase = "done"
	if o.DryRun {
		return m.n, nil
	}
	return m.n, m.note("list.imported")
}

// An importing is an import under way.
type importing struct {
	f     *Flow
	ctx   context.Context
	o     ImportOptions
	name  string
	n     Imported
	shown time.Time

	kind  int // in recordKinds, of what is compared
	begun bool
	held  []store.Held // the next of what the list holds of that kind
	last  store.Held
	ended bool
	out   []store.BulkValue
	gone  []string
}

func (m *importing) show() {
	if m.o.Progress != nil && time.Since(m.shown) > time.Second {
		m.shown = time.Now()
		m.o.Progress(m.n)
	}
}

func (m *importing) read(in io.Reader, s *sorter) error {
	lines := exchange.NewLines(in, m.o.Usual)
	for {
		p, err := lines.Next()
		if err == io.EOF {
			m.n.Lines = lines.Line()
			return nil
		}
		m.n.Lines = lines.Line()
		var refused *exchange.LineError
		switch {
		case errors.As(err, &refused):
			m.n.Refused++
			if m.o.Refused != nil {
				m.o.Refused(refused)
			}
		case err != nil:
			return fmt.Errorf("reading line %d: %w", lines.Line()+1, err)
		case p.Type == rempart.PDQ && p.Quality == 0:
			m.n.Unknown++
		case !p.Listable():
			m.n.Flat++
		default:
			m.n.Valid++
			r := record{quality: byte(p.Quality)}
			for k, t := range recordKinds {
				if t == p.Type {
					r.kind = byte(k)
				}
			}
			hex.Decode(r.value[:], []byte(p.Value)) // checked by Lines
			if err := s.add(r); err != nil {
				return fmt.Errorf("sorting: %w", err)
			}
		}
		if m.n.Lines%4096 == 0 {
			m.show()
			if err := m.ctx.Err(); err != nil {
				return err
			}
		}
	}
}

// compare takes the next value of the file: what the list holds before it is
// missing in the file.
func (m *importing) compare(r record) error {
	if !m.begun || int(r.kind) != m.kind {
		if err := m.upTo(int(r.kind)); err != nil {
			return err
		}
	}
	value := r.text()
	for {
		h, ok, err := m.peek()
		if err != nil {
			return err
		}
		if !ok || h.Value > value {
			m.n.Added++
			m.out = append(m.out, store.BulkValue{Value: value, Quality: int(r.quality)})
			return m.save(importPart)
		}
		m.held = m.held[1:]
		if h.Value < value {
			if err := m.missing(h); err != nil {
				return err
			}
			continue
		}
		m.n.Same++
		for { // the same value may be held of several cases
			h, ok, err := m.peek()
			if err != nil || !ok || h.Value != value {
				m.show()
				return err
			}
			m.held = m.held[1:]
		}
	}
}

// upTo ends the comparison of the kinds before one, and begins with it.
func (m *importing) upTo(kind int) error {
	for {
		if m.begun {
			if err := m.rest(); err != nil {
				return err
			}
			if m.kind == kind {
				return nil
			}
			m.kind++
		}
		m.begun, m.held, m.last, m.ended = true, nil, store.Held{}, false
		if m.kind == kind {
			return nil
		}
	}
}

// finish ends the comparison of all kinds.
func (m *importing) finish() error {
	if err := m.upTo(len(recordKinds) - 1); err != nil {
		return err
	}
	return m.rest()
}

// rest counts what the list still holds of a kind, and saves what is left.
func (m *importing) rest() error {
	for {
		h, ok, err := m.peek()
		if err != nil {
			return err
		}
		if !ok {
			return m.save(1)
		}
		m.held = m.held[1:]
		if err := m.missing(h); err != nil {
			return err
		}
	}
}

func (m *importing) missing(h store.Held) error {
	m.n.Missing++
	if !m.o.Whole {
		return nil
	}
	m.n.Withdrawn++
	m.gone = append(m.gone, h.ID)
	return m.save(importPart)
}

// peek returns the next of what the list holds.
func (m *importing) peek() (h store.Held, ok bool, err error) {
	if len(m.held) == 0 && !m.ended {
		m.held, err = m.f.DB.Held(m.ctx, m.o.Source, m.o.List, recordKinds[m.kind], m.last, importPart)
		if err != nil {
			return h, false, err
		}
		if m.ended = len(m.held) == 0; !m.ended {
			m.last = m.held[len(m.held)-1]
		}
		m.show()
	}
	if m.ended {
		return h, false, nil
	}
	return m.held[0], true, nil
}

// save saves what is ready, if it is as many as least.
func (m *importing) save(least int) error {
	n := len(m.out) + len(m.gone)
	if n < least {
		return nil
	}
	defer func() { m.out, m.gone = m.out[:0], m.gone[:0] }()
	m.show()
	if m.o.DryRun || n == 0 {
		return nil
	}
	return m.f.DB.AddBulk(m.ctx, store.Bulk{Source: m.o.Source, List: m.o.List, Type: recordKinds[m.kind], Name: m.name,
		First: m.n.Added - len(m.out), Values: m.out, Gone: m.gone, At: m.f.Now()})
}

// note writes to the ledger that an import began or ended.
func (m *importing) note(kind string) error {
	data := map[string]string{"list": m.o.List}
	for name, n := range map[string]int{"valid": m.n.Valid, "refused": m.n.Refused, "flat": m.n.Flat + m.n.Unknown, "added": m.n.Added, "withdrawn": m.n.Withdrawn} {
		if n > 0 {
			data[name] = strconv.Itoa(n)
		}
	}
	if m.o.Source != "" {
		data["source"] = m.o.Source
	}
	return m.f.DB.Commit(m.ctx, "", rempart.Consequences{Events: []rempart.Event{{Kind: kind, Subject: m.name, Actor: m.o.By, At: m.f.Now(), Data: data}}})
}
