package flow

import (
	"context"
	"errors"

	"rempart"
)

// maxHops is how many cases an item may have been handed along.
const maxHops = 16

// Merge has a case follow another, which carries its work from now on. In one
// transaction, so that no service can be told twice and nothing is lost between.
func (f *Flow) Merge(ctx context.Context, caseID, into, reason string, by rempart.Actor) error {
	return f.DB.UpdateCases(ctx, caseID, into, func(c, into *rempart.Case) error { return c.MergeInto(into, reason, by, f.Now()) })
}

// Unmerge undoes the merge of a case.
func (f *Flow) Unmerge(ctx context.Context, c *rempart.Case, reason string, by rempart.Actor) error {
	if c.Merged == nil {
		return c.UnmergeFrom(c, reason, by, f.Now()) // says why not
	}
	return f.DB.UpdateCases(ctx, c.ID, c.Merged.CaseID, func(c, from *rempart.Case) error { return c.UnmergeFrom(from, reason, by, f.Now()) })
}

// Split moves items of a case to a new one, which is qualified anew, and returns
// its reference.
func (f *Flow) Split(ctx context.Context, caseID string, items []string, reason string, by rempart.Actor) (ref string, err error) {
	ref, err = f.DB.SplitCase(ctx, caseID, func(c *rempart.Case) (*rempart.Case, error) { return c.Split(items, reason, by, f.Now()) })
	if err == nil {
		f.Wake()
	}
	return ref, err
}

// carriers returns the cases on which items of a case are worked on, and the one
// that it follows, by identifier. One that can't be read any more is left out.
func (f *Flow) carriers(ctx context.Context, c *rempart.Case) (map[string]*rempart.Case, error) {
	found := map[string]*rempart.Case{}
	var load func(id string, hops int) error
	load = func(id string, hops int) error {
		if found[id] != nil || hops > maxHops {
			return nil
		}
		o, err := f.DB.Case(ctx, id)
		var broken *rempart.Error
		if rempart.KindOf(err) == rempart.NotFound || errors.As(err, &broken) && broken.Code == "case.erased" {
			return nil
		}
		if err != nil {
			return err
		}
		found[id] = o
		for _, i := range o.Items {
			if i.State == rempart.ItemFollowed {
				if err := load(i.Follows.CaseID, hops+1); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if c.Merged != nil {
		if err := load(c.Merged.CaseID, 0); err != nil {
			return nil, err
		}
	}
	for _, i := range c.Items {
		if i.State == rempart.ItemFollowed {
			if err := load(i.Follows.CaseID, 0); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// place returns the item on which the work on one is done, and its case. Where it
// is gone, the item is as it was when it was left to it.
func place(there map[string]*rempart.Case, c *rempart.Case, i rempart.Item) (*rempart.Case, rempart.Item) {
	for range maxHops {
		if i.State != rempart.ItemFollowed {
			return c, i
		}
		var next *rempart.Item
		if o := there[i.Follows.CaseID]; o != nil {
			if next = o.Item(i.Follows.ItemID); next != nil {
				c, i = o, *next
			}
		}
		if next == nil {
			break
		}
	}
	if i.State == rempart.ItemFollowed {
		i.State, i.Since = i.Was, i.WasSince
	}
	return c, i
}
