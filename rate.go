package rempart

// Rates bound what one key may ask of one node: requests of any kind, and values
// looked up. 0 stands for what [DefaultRates] says, or [LookupRates] of a key that
// may only look up. Each node counts by itself.
type Rates struct {
	Requests    int `json:"requests,omitempty"`     // a second
	Values      int `json:"values,omitempty"`       // looked up, a second: a PDQ with its forms is one, of a video each image is one
	RequestsDay int `json:"requests_day,omitempty"` // from midnight to midnight, UTC
	ValuesDay   int `json:"values_day,omitempty"`   // the same
}

// DefaultRates are what one key may ask for where nobody set anything else. They
// are twice what one node can answer and more: they stop a loop gone wild, and no
// platform of any size. LookupRates are those of a key that may only look up: of
// what one could learn by asking, less can be asked.
var (
	DefaultRates = Rates{Requests: 50_000, Values: 500_000, RequestsDay: 2_000_000_000, ValuesDay: 2_000_000_000}
	LookupRates  = Rates{Requests: 2_000, Values: 20_000, RequestsDay: 50_000_000, ValuesDay: 200_000_000}
)

// MaxRate is the largest rate that can be set.
const MaxRate = 2_000_000_000

// Check says what is wrong with rates.
func (r Rates) Check() error {
	for _, x := range []struct {
		field string
		n     int
	}{{"requests", r.Requests}, {"values", r.Values}, {"requests_day", r.RequestsDay}, {"values_day", r.ValuesDay}} {
		if x.n < 0 || x.n > MaxRate {
			return &Error{Kind: Invalid, Field: x.field, Code: "peer.rate", Public: "A rate is a whole number, two billion at most; 0 is the usual one."}
		}
	}
	return nil
}

// Limits are the rates that hold for the peer, none of them 0.
func (p Peer) Limits() Rates {
	usual := DefaultRates
	if p.LookupOnly {
		usual = LookupRates
	}
	r := p.Rates
	for _, x := range []struct {
		is    *int
		usual int
	}{{&r.Requests, usual.Requests}, {&r.Values, usual.Values}, {&r.RequestsDay, usual.RequestsDay}, {&r.ValuesDay, usual.ValuesDay}} {
		if *x.is == 0 {
			*x.is = x.usual
		}
	}
	return r
}
