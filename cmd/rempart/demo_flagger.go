package main

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
)

// demoFlagger is the association's entry in the demo's list of trusted flaggers,
// and its identifier among the platforms' peers.
const demoFlagger = "association-exemple"

// demoFlaggerList is a fictional list of trusted flaggers, in the columns of
// rempart admin flagger import: the association, one entity that is suspended,
// and one whose designation is over.
//
//go:embed demodata/flaggers.csv
var demoFlaggerList string

// demoFlaggers gives a platform of the demo its list of trusted flaggers, unless
// it has one: a demo that is kept keeps what was imported into it.
func (i *instance) demoFlaggers(ctx context.Context) error {
	if had, err := i.db.Flaggers(ctx); err != nil || len(had) > 0 {
		return err
	}
	list, err := readFlaggers(strings.NewReader(demoFlaggerList))
	if err != nil {
		return fmt.Errorf("the demo's list of trusted flaggers: %w", err)
	}
	return i.db.PutFlaggers(ctx, list, adminEvent("flaggers.imported", "flaggers", "entries", fmt.Sprint(len(list))))
}
