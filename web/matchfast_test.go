package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rempart"
	"rempart/flow"
)

const someValue = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"

// printsBody is the body of a lookup of n values.
func printsBody(n int) []byte {
	return []byte(`{"fingerprints":[` + strings.Repeat(`{"type":"pdq","value":"`+someValue+`"},`, n-1) + `{"type":"pdq","value":"` + someValue + `"}]}`)
}

// TestMatchReadPlain is there so that the fuzzing compares something: the shapes
// that clients send are read the fast way, and those near them are not.
func TestMatchReadPlain(t *testing.T) {
	for body, want := range map[string]int{
		string(printsBody(1)):               1,
		string(printsBody(100)):             100,
		string(printsBody(flow.MaxQueries)): flow.MaxQueries,
		"{\"fingerprints\": [{\"type\": \"sha256\", \"quality\": 0, \"value\": \"a\"}, {\"value\": \"b\", \"quality\": 100}]}\n": 2,

		string(printsBody(flow.MaxQueries + 1)): -1,
		``:                                      -1,
		`null`:                                  -1,
		`{"fingerprints":[]}`:                   -1,
		`{"fingerprints":[{}]}`:                 -1,
		`{"fingerprints":[{"type":"pdq"},]}`:    -1,
		`{"fingerprints":[{"type":"pdq",}]}`:    -1,
		`{"fingerprints":[{"Type":"pdq"}]}`:     -1,
		`{"fingerprints":[{"type":"pdq","type":"md5"}]}`:      -1,
		`{"fingerprints":[{"type":"p\u0064q"}]}`:              -1,
		`{"fingerprints":[{"type":"pdq","quality":007}]}`:     -1,
		`{"fingerprints":[{"type":"pdq","quality":1000}]}`:    -1,
		`{"fingerprints":[{"type":"pdq","quality":1.5}]}`:     -1,
		`{"fingerprints":[{"type":"pdq"}],"stopped":true}`:    -1,
		`{"fingerprints":[{"type":"pdq"}]} {}`:                -1,
		"{\"fingerprints\":[{\"type\":\"pdq\"}]}\x00":         -1,
		`{"fingerprints":[{"type":"pdq","dihedral":["00"]}]}`: -1,
	} {
		got, ok := plainPrints([]byte(body))
		if ok != (want >= 0) || ok && len(got) != want {
			t.Errorf("%.80s: %d read, plain %v, want %d", body, len(got), ok, want)
		}
	}
}

// FuzzMatchRead checks that a body means the same read fast as by encoding/json.
func FuzzMatchRead(f *testing.F) {
	for _, s := range []string{string(printsBody(2)), `{"fingerprints":[{"type":"x","value":"~","quality":9}]}`, `{"fingerprints":[{"type":"pdq"}],"seed":"s"}`,
		` { "fingerprints" : [ { "quality" : 0 , "value" : "" } ] } `, `{"fingerprints":[{"type":"pdq"}]}x`, `{"fingerprints":null}`, "{\"fingerprints\":[{\"type\":\"\x7f\"}]}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var want matchQuery
		wantErr := json.Unmarshal(b, &want)
		got, err := readQuery(httptest.NewRequest("POST", "/api/v1/match", bytes.NewReader(b)))
		if fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Fatalf("error %v, want %v", err, wantErr)
		}
		if diff := cmp.Diff(want, got); err == nil && diff != "" {
			t.Fatal(diff)
		}
	})
}

// FuzzMatchWrite checks that an answer is byte for byte that of encoding/json.
func FuzzMatchWrite(f *testing.F) {
	f.Add("pdq", someValue, 0, "", "1-2-3", 1)
	f.Add("md5", "<>&\u2028\xff\"\\", -7, "flat", "\x00", 3)
	f.Add("md5", "<\"\\\u2028", 7, "", "", 1)
	f.Fuzz(func(t *testing.T, kind, value string, quality int, note, where string, shape int) {
		a := &matchAnswer{Position: where}
		if shape&8 == 0 {
			a.add(rempart.FingerprintType(kind), value, quality, note, nil)
		}
		if shape&1 != 0 {
			a.add(rempart.PDQ, someValue, quality, "", nil)
		}
		if shape&2 != 0 {
			a.add(rempart.PDQ, value, 90, note, []rempart.Match{{EntryID: value, List: note}})
		}
		if shape&4 != 0 {
			a.Results = append(a.Results, matchResult{Value: someValue})
		}
		want, wantErr := json.Marshal(a)
		got, err := a.write()
		if (err == nil) != (wantErr == nil) || !bytes.Equal(got, want) {
			t.Fatalf("%s %v, want %s %v", got, err, want, wantErr)
		}
	})
}

// BenchmarkMatchBody reads the body of a lookup and writes its answer, in which
// nothing matches, both ways.
func BenchmarkMatchBody(b *testing.B) {
	for _, n := range []int{1, 100} {
		body := printsBody(n)
		run := func(name string, read func() (matchQuery, error), write func(*matchAnswer) ([]byte, error)) {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					q, err := read()
					if err != nil || len(q.Fingerprints) != n {
						b.Fatal(len(q.Fingerprints), err)
					}
					a := &matchAnswer{Position: "1-2-3"}
					for _, f := range q.Fingerprints {
						a.add(f.Type, f.Value, f.Quality, "", nil)
					}
					if _, err := write(a); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		run("json", func() (q matchQuery, err error) { return q, json.NewDecoder(bytes.NewReader(body)).Decode(&q) },
			func(a *matchAnswer) ([]byte, error) { return json.Marshal(a) })
		r := httptest.NewRequest("POST", "/api/v1/match", nil)
		run("fast", func() (matchQuery, error) {
			r.Body, r.ContentLength = readBody{bytes.NewReader(body)}, int64(len(body))
			return readQuery(r)
		}, (*matchAnswer).write)
	}
}

type readBody struct{ *bytes.Reader }

func (readBody) Close() error { return nil }
