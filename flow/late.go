package flow

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rempart"
	"rempart/store"
)

// A DryRun is a notice that was decided while nothing was sent to the
// transparency database, and statements of it that were therefore only made.
type DryRun struct {
	Number string
	Items  int  // statements that the database does not have from here
	Faulty int  // those of them with faults: when asked to, they become a human's task
	Asked  bool // they are on their way, or are a human's task already

	id, key string
}

// DryRuns calls do with each notice that has statements which were only made.
func (f *Flow) DryRuns(ctx context.Context, do func(DryRun) error) error {
	for after := ""; ; {
		page, next, err := f.DB.Intakes(ctx, rempart.IntakeDecided, after, 200)
		if err != nil {
			return fmt.Errorf("flow: read the notices: %w", err)
		}
		for _, i := range page {
			d, err := f.dryRun(ctx, i)
			if err == nil && d.Items > 0 {
				err = do(d)
			}
			if err != nil {
				return err
			}
		}
		if after = next; next == "" {
			return nil
		}
	}
}

func (f *Flow) dryRun(ctx context.Context, i *rempart.Intake) (DryRun, error) {
	d := DryRun{Number: i.Number, id: i.ID}
	events, err := f.DB.Events(ctx, i.ID)
	if err != nil {
		return d, fmt.Errorf("flow: read what became of statements: %w", err)
	}
	jobs, err := f.DB.Jobs(ctx, i.ID)
	if err != nil {
		return d, fmt.Errorf("flow: read what became of statements: %w", err)
	}
	for _, j := range jobs {
		d.Asked = d.Asked || j.Job.Kind == rempart.JobStatements && j.State != "done"
	}
	asked, became := 0, map[string]string{}
	for _, e := range events {
		switch {
		case e.Kind == StatementsLate:
			asked++
		case strings.HasPrefix(e.Kind, "statement."):
			became[e.Data["reversed"]+" "+e.Data["item"]] = e.Kind
		}
	}
	d.key = fmt.Sprintf("statements:%s:late:%d", i.ID, asked)
	for _, p := range f.Statements(i) {
		reversed := ""
		if n := i.Reversed(p.Item); n > 0 {
			reversed = fmt.Sprint(n)
		}
		if became[reversed+" "+p.Item] != StatementDryRun {
			continue
		}
		d.Items++
		if len(p.Faults) > 0 {
			d.Faulty++
		}
	}
	return d, nil
}

// SendLate has the statements of a dry run sent, by whichever process does the
// jobs. Asked twice at a time, they are sent once.
func (f *Flow) SendLate(ctx context.Context, d DryRun, by rempart.Actor) error {
	now := f.Now()
	err := f.DB.Commit(ctx, d.key, rempart.Consequences{
		Events: []rempart.Event{{Kind: StatementsLate, Subject: d.id, Actor: by, At: now, Data: map[string]string{"items": fmt.Sprint(d.Items)}}},
		Jobs:   []rempart.Job{{Kind: rempart.JobStatements, Subject: d.id, Key: d.key, RunAt: now}},
	})
	if err != nil && !errors.Is(err, store.ErrAlready) {
		return fmt.Errorf("flow: have the statements of %s sent: %w", d.Number, err)
	}
	return nil
}
