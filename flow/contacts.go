package flow

import (
	"context"
	"io"
	"strconv"

	"rempart"
	"rempart/exchange"
)

// ImportContacts reads a contact book into the register: all of it, or nothing
// when a row has a fault. It returns how many services it holds.
func (f *Flow) ImportContacts(ctx context.Context, r io.Reader, by rempart.Actor) (int, []exchange.RowFault, error) {
	services, err := f.DB.Services(ctx)
	if err != nil {
		return 0, nil, err
	}
	peers, err := f.DB.Peers(ctx)
	if err != nil {
		return 0, nil, err
	}
	known, may := map[string]rempart.Service{}, map[string]bool{}
	for _, s := range services {
		known[s.ID] = s
	}
	for _, p := range peers {
		may[p.ID] = true
	}
	all, faults := exchange.ReadContacts(r, known, may, f.Now())
	if len(faults) > 0 {
		return 0, faults, nil
	}
	return len(all), nil, f.DB.SaveServices(ctx, all, rempart.Consequences{Events: []rempart.Event{{
		Kind: "contacts.imported", Subject: "contacts", Actor: by, At: f.Now(), Data: map[string]string{"services": strconv.Itoa(len(all))},
	}}})
}
