package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A serviceDay is a row of service_sums.
type serviceDay struct {
	day     Day
	service string
}

// saveService adds what services did to their days. The database adds, and puts
// new minutes behind those it has, so that nothing is read first; rows are taken
// in one order, so that two transactions never wait for each other.
func (t *tx) saveService(did map[served]int) error {
	sums := map[serviceDay]*ServiceFigures{}
	for k, n := range did {
		at := serviceDay{k.day, k.service}
		if sums[at] == nil {
			sums[at] = &ServiceFigures{}
		}
		sums[at].add(k, n)
	}
	keys := slices.SortedFunc(maps.Keys(sums), func(a, b serviceDay) int {
		return cmp.Or(cmp.Compare(a.day, b.day), strings.Compare(a.service, b.service))
	})
	for _, k := range keys {
		v := sums[k]
		var took strings.Builder
		for _, m := range v.Took {
			took.WriteString(strings.Repeat(strconv.FormatInt(m.Minutes, 10)+",", m.N))
		}
		if _, err := t.exec("INSERT INTO service_sums (day, service, notified, removed, restricted, refused, took) VALUES ($1, $2, $3, $4, $5, $6, $7)"+
			" ON CONFLICT (day, service) DO UPDATE SET notified = service_sums.notified + excluded.notified, removed = service_sums.removed + excluded.removed,"+
			" restricted = service_sums.restricted + excluded.restricted, refused = service_sums.refused + excluded.refused, took = service_sums.took || excluded.took",
			int64(k.day), k.service, v.Notified, v.Removed, v.Restricted, v.Refused, took.String()); err != nil {
			return fmt.Errorf("store: figures of service %s: %w", k.service, err)
		}
	}
	return nil
}

// add counts n times what a service did.
func (v *ServiceFigures) add(k served, n int) {
	switch k.what {
	case "notified":
		v.Notified += n
	case "removed":
		v.Removed += n
		v.Took = append(v.Took, MinutesCount{k.minutes, n})
	case "restricted":
		v.Restricted += n
	case "refused":
		v.Refused += n
	}
}

// servicesOld moves the rows of an older version, one for each time to a
// decision, to where there is one for each day and service.
func (t *tx) servicesOld() error {
	did := map[served]int{}
	rows, err := t.Tx.QueryContext(t.ctx, "SELECT day, service, what, minutes, n FROM service_days")
	_, err = collect(rows, err, func(s scanner) (_ struct{}, err error) {
		var k served
		var n int
		err = s.Scan(&k.day, &k.service, &k.what, &k.minutes, &n)
		did[k] += n
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("figures of services: %w", err)
	}
	if len(did) == 0 {
		return nil
	}
	if err := t.saveService(did); err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM service_days"); err != nil {
		return fmt.Errorf("figures of services: %w", err)
	}
	return nil
}

// serviceFigures returns what each service did in the days from one to another,
// both included, by their identifiers. It reads one row for each day and service.
func (db *DB) serviceFigures(ctx context.Context, from, to Day) ([]ServiceFigures, error) {
	sums, took := map[string]*ServiceFigures{}, map[string][]int64{}
	rows, err := db.r.QueryContext(ctx, "SELECT service, notified, removed, restricted, refused, took FROM service_sums WHERE day BETWEEN $1 AND $2", int64(from), int64(to))
	_, err = collect(rows, err, func(s scanner) (_ struct{}, err error) {
		var v ServiceFigures
		var minutes string
		if err := s.Scan(&v.Service, &v.Notified, &v.Removed, &v.Restricted, &v.Refused, &minutes); err != nil {
			return struct{}{}, err
		}
		if sums[v.Service] == nil {
			sums[v.Service] = &ServiceFigures{Service: v.Service}
		}
		all := sums[v.Service]
		all.Notified += v.Notified
		all.Removed += v.Removed
		all.Restricted += v.Restricted
		all.Refused += v.Refused
		for m := range strings.SplitSeq(strings.TrimSuffix(minutes, ","), ",") {
			if m == "" {
				continue // no removal on that day
			}
			n, err := strconv.ParseInt(m, 10, 64)
			if err != nil {
				return struct{}{}, fmt.Errorf("minutes of service %s: %w", v.Service, err)
			}
			took[v.Service] = append(took[v.Service], n)
		}
		return struct{}{}, nil
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: figures of services: %w", err))
	}
	var out []ServiceFigures
	for _, id := range slices.Sorted(maps.Keys(sums)) {
		v := sums[id]
		slices.Sort(took[id])
		for _, m := range took[id] {
			if k := len(v.Took); k > 0 && v.Took[k-1].Minutes == m {
				v.Took[k-1].N++
				continue
			}
			v.Took = append(v.Took, MinutesCount{m, 1})
		}
		out = append(out, *v)
	}
	return out, nil
}
