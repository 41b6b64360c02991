package stats

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

// TestParquet reads a file that Apache Arrow's Go implementation wrote (v18.8.0:
// dictionaries, zstd, nulls, a timestamp in milliseconds, a binary column): the
// rows and refusals that its CSV would have.
func TestParquet(t *testing.T) {
	b, err := os.ReadFile("testdata/arrow.parquet")
	if err != nil {
		t.Fatal(err)
	}
	tally := NewTally(Condition{"attire", "minimal"}, nil)
	var got []string
	err = ReadTable(bytes.NewReader(b), func(r Row) {
		if r.Item == "i2" && (r.Surface != "site" || r.URLHash != "ab" || r.Method != "human" || r.Line != 4 && r.Line != 5 || !r.Collected.Equal(time.Date(2025, 12, 28, 10, r.Line-2, 0, 0, time.UTC))) {
			t.Errorf("%+v", r)
		}
		if bad := tally.Add(r); bad != nil {
			got = append(got, bad.Error())
		}
	}, func(bad *RowError) { got = append(got, bad.Error()) })
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"line 6: label_value: would be run as a formula by a spreadsheet",
		"line 7: note: not UTF-8; save the file as CSV in UTF-8",
		"line 8: url_hash: an address; give its hash in url_hash",
		`line 9: confidence: "1.5" is no number from 0 to 1`,
		"line 11: item_id: empty",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	c, err := tally.Card(Options{})
	if err != nil || c.Denominator != 2 || c.Numerator != 2 || c.Rows != 5 || c.Agreement.DoublyLabelled != 2 {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestParquetLikeCSV reads the same table as both, several row groups long; the
// Parquet is the library's own.
func TestParquetLikeCSV(t *testing.T) {
	type line struct {
		Confidence float32 `parquet:"confidence,optional"`
		Item       string  `parquet:"Item_ID,dict"`
		Surface    string  `parquet:"surface,optional"`
		Collected  int32   `parquet:"collected_at,date"`
		URL        string  `parquet:"url_hash,snappy"`
		Label      string  `parquet:"label_name,dict"`
		Value      string  `parquet:"label_value,enum"`
		Who        string  `parquet:"annotator"`
		Method     string  `parquet:"method,optional"`
	}
	var file bytes.Buffer
	var csv strings.Builder
	csv.WriteString(head)
	w := parquet.NewGenericWriter[line](&file, parquet.MaxRowsPerRowGroup(700))
	for k := range 3000 {
		l := line{float32(k%4) / 2, fmt.Sprintf("i%d", k/2), "app", 20450, fmt.Sprintf("%x", k/2), "l", []string{"yes", "no", "data:image/png"}[min(2, k%101)], fmt.Sprint("a", k%2), ""}
		if _, err := w.Write([]line{l}); err != nil {
			t.Fatal(err)
		}
		sure := fmt.Sprint(l.Confidence)
		if l.Confidence == 0 {
			sure = "" // what optional makes of it
		}
		fmt.Fprintf(&csv, "%s,%s,2025-12-28,%s,%s,%s,%s,,%s\n", l.Item, l.Surface, l.URL, l.Label, l.Value, l.Who, sure)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want, err := read(strings.NewReader(csv.String()))
	if err != nil || len(want) != 3000 {
		t.Fatal(len(want), err)
	}
	got, err := read(bytes.NewReader(file.Bytes()))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

// TestNoParquet says what is wrong with a file, and never ends the process.
func TestNoParquet(t *testing.T) {
	whole, err := os.ReadFile("testdata/arrow.parquet")
	if err != nil {
		t.Fatal(err)
	}
	var lists, short bytes.Buffer
	for out, rows := range map[*bytes.Buffer]any{
		&lists: struct {
			Item []string `parquet:"item_id"`
		}{[]string{"a"}},
		&short: struct {
			Item string `parquet:"item_id"`
		}{"a"},
	} {
		w := parquet.NewWriter(out)
		if err := w.Write(rows); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for want, r := range map[string]io.Reader{
		"give it as a file":                      io.MultiReader(bytes.NewReader(whole)),
		"reading the table as Parquet":           bytes.NewReader(whole[:len(whole)/2]),
		"the column item_id holds lists":         bytes.NewReader(lists.Bytes()),
		"does not name the column surface, coll": bytes.NewReader(short.Bytes()),
	} {
		if _, err := read(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for k := 0; k < len(whole); k += 5 {
		broken := bytes.Clone(whole)
		broken[k] ^= 0x55
		read(bytes.NewReader(broken)) // ends, whatever it says
	}
}
