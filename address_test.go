package rempart

import "testing"

// TestAddressSays holds what an address says beyond being one.
func TestAddressSays(t *testing.T) {
	for a, want := range map[string]struct{ clean, whole, own bool }{
		"https://exemple.test":             {true, true, false},
		"exemple.test/":                    {true, true, false},
		"https://exemple.test:8443//":      {true, true, false},
		"https://exemple.test/fil/12":      {true, false, false},
		"https://exemple.test/?p=12":       {true, false, false},
		"https://exemple.test/#fil":        {true, false, false},
		"https://exemple.test./x":          {true, false, false},
		"http://localhost:8080/x":          {true, false, true},
		"http://a.localhost/":              {true, true, true},
		"http://127.0.0.1/x":               {true, false, true},
		"http://[::1]/x":                   {true, false, true},
		"http://10.1.2.3/x":                {true, false, true},
		"http://[2001:db8::1]/x":           {true, false, false},
		"https://localhost.exemple.test/x": {true, false, false},
		"https://exemple.test:65535/x":     {true, false, false},
		"https://exemple.test:65536/x":     {},
		"https://exemple.test:0/x":         {},
		"https://exemple..test/x":          {},
		"https://.test/x":                  {},
		"le forum":                         {},
	} {
		if _, err := CleanAddress(a); (err == nil) != want.clean {
			t.Errorf("CleanAddress(%q): %v, want taken %t", a, err, want.clean)
		}
		if got := WholeSite(a); got != want.whole {
			t.Errorf("WholeSite(%q) = %t, want %t", a, got, want.whole)
		}
		if got := OwnAddress(a); got != want.own {
			t.Errorf("OwnAddress(%q) = %t, want %t", a, got, want.own)
		}
	}
}
