package main

import (
	"errors"
	"strconv"
	"strings"

	"rempart"
)

// ratesOf reads rates as -rate writes them, over those that were.
func ratesOf(r rempart.Rates, s string) (rempart.Rates, error) {
	bad := hinted{errors.New("-rate cannot be read"), "write it as requests=100,values=1000,requests-day=100000,values-day=1000000; 0 is the usual one"}
	at := map[string]*int{"requests": &r.Requests, "values": &r.Values, "requests-day": &r.RequestsDay, "values-day": &r.ValuesDay}
	for part := range strings.SplitSeq(s, ",") {
		name, number, _ := strings.Cut(strings.TrimSpace(part), "=")
		n, err := strconv.Atoi(number)
		if at[name] == nil || err != nil {
			return r, bad
		}
		*at[name] = n
	}
	return r, r.Check()
}
