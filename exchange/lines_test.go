package exchange_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rempart"
	"rempart/exchange"
)

const (
	// From the vectors of facebook/ThreatExchange (pdq/data/bridge-mods).
	bridge = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
	clip   = "d35b3d8a5fd2f2b3f3a3c1d2e4f5a6b7"
)

// TestLines reads what partners, spreadsheets and rempart hash write.
func TestLines(t *testing.T) {
	pdq := func(q int) rempart.Fingerprint {
		return rempart.Fingerprint{Type: rempart.PDQ, Value: bridge, Quality: q}
	}
	md5 := rempart.Fingerprint{Type: rempart.MD5, Value: clip}
	for _, c := range []struct {
		name, in string
		usual    rempart.Fingerprint
		want     []rempart.Fingerprint
		faults   []string
	}{
		{"plain", bridge + "\n\n# a note\n" + clip, pdq(0), []rempart.Fingerprint{pdq(0), md5}, nil},
		{"with quality", bridge + ",87,other,columns\r\n" + bridge + ", 0\r\n", pdq(0), []rempart.Fingerprint{pdq(87), pdq(-1)}, nil},
		{"usual quality", bridge + "\n" + bridge + ",60\n", pdq(50), []rempart.Fingerprint{pdq(50), pdq(60)}, nil},
		{"rempart hash", bridge + " 100 collines.png\n", pdq(0), []rempart.Fingerprint{pdq(100)}, nil},
		{"python-threatexchange", "pdq " + bridge + "\nvideo_md5 " + clip + "\n", pdq(0), []rempart.Fingerprint{pdq(0), md5}, nil},
		{"names", "id;hash_value;Quality;type\n1;" + strings.ToUpper(bridge) + ";61;HASH_PDQ\n2;" + clip + ";;md5\n", pdq(0), []rempart.Fingerprint{pdq(61), md5}, nil},
		{"a column named as its type", "\xef\xbb\xbfsha256,note\n" + bridge + ",\"a, b\"\n", pdq(0), []rempart.Fingerprint{{Type: rempart.SHA256, Value: bridge}}, nil},
		{"sha256", bridge + "\n", rempart.Fingerprint{Type: rempart.SHA256}, []rempart.Fingerprint{{Type: rempart.SHA256, Value: bridge}}, nil},
		{"corrupt", bridge[1:] + "\n" + bridge + ",101\nzz\n" + bridge + ",high\n" + strings.Repeat("a", 70_000) + "\nphotodna," + bridge + "\n" + bridge + ",\"87\n" + bridge + ",87", pdq(0), []rempart.Fingerprint{pdq(87)}, []string{
			"line 1: the value has not 64 hexadecimal digits", "line 2: the quality is not a number from 0 to 100", "line 3: the value has not 64 hexadecimal digits",
			"line 4: the quality is not a number from 0 to 100", "line 5: the line is too long", "line 6: the value has not 64 hexadecimal digits", "line 7: a quotation mark is not closed"}},
		{"of a type that is not known", "type,value\nphotodna," + bridge + "\n", pdq(0), nil, []string{"line 2: the type is not pdq, md5 or sha256"}},
		{"nothing", "", pdq(0), nil, nil},
	} {
		l := exchange.NewLines(strings.NewReader(c.in), c.usual)
		var got []rempart.Fingerprint
		var faults []string
		for {
			f, err := l.Next()
			if err == io.EOF {
				break
			}
			var e *exchange.LineError
			if errors.As(err, &e) {
				faults = append(faults, e.Error())
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			got = append(got, f)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, d)
		}
		if d := cmp.Diff(c.faults, faults); d != "" {
			t.Errorf("%s: faults (-want +got)\n%s", c.name, d)
		}
	}
}

// TestLinesBreakOff checks that a file that cannot be read to its end is no file
// that has ended.
func TestLinesBreakOff(t *testing.T) {
	l := exchange.NewLines(io.MultiReader(strings.NewReader(bridge+"\n"), broken{}), rempart.Fingerprint{Type: rempart.PDQ})
	if _, err := l.Next(); err != nil {
		t.Fatal(err)
	}
	var e *exchange.LineError
	if _, err := l.Next(); !errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &e) {
		t.Errorf("error %v", err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
