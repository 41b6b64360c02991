package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite"

	"rempart/pdq"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"rempart": main,
		"alter":   alter,
		"report":  report,
		"list":    list,
	})
}

// TestScripts runs what users type. In each script: the pictures collines.png,
// collines-copie.jpg (a smaller one of it), flat.png, marked.png (with a
// generator's text), broken.png and empty.png; serve starts an instance with the data folder d and sets URL; alter runs a statement on a
// database; list puts a picture's fingerprint in a list; report sends a report to
// URL and writes its receipt to a file.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:             "testdata",
		ContinueOnError: true,
		Setup: func(e *testscript.Env) error {
			if err := demoPictures(e.WorkDir); err != nil {
				return err
			}
			hills, err := os.ReadFile(filepath.Join(e.WorkDir, "collines.png"))
			if err != nil {
				return err
			}
			grey := image.NewGray(image.Rect(0, 0, 80, 60))
			for k := range grey.Pix {
				grey.Pix[k] = color.Gray{128}.Y
			}
			var flat bytes.Buffer
			if err := png.Encode(&flat, grey); err != nil {
				return err
			}
			const header = 33 // bytes of the signature and IHDR
			settings := []byte("tEXtparameters\x00PLANTED\nSteps: 20, Sampler: Euler a")
			text := binary.BigEndian.AppendUint32(nil, uint32(len(settings)-4))
			text = binary.BigEndian.AppendUint32(append(text, settings...), crc32.ChecksumIEEE(settings))
			marked := slices.Concat(hills[:header], text, hills[header:])
			for name, b := range map[string][]byte{"flat.png": flat.Bytes(), "marked.png": marked, "broken.png": hills[:len(hills)/2], "empty.png": nil} {
				if err := os.WriteFile(filepath.Join(e.WorkDir, name), b, 0o600); err != nil {
					return err
				}
			}
			for _, v := range os.Environ() { // what the machine that tests configures must not matter
				if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "REMPART_") {
					e.Setenv(name, "")
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"serve": serveInScript, "jsonkeys": jsonKeys, "alterfile": alterFile, "verifierkey": verifierKey, "referenceof": referenceOf, "onefile": oneFile, "endserve": stopServe, "lostrecords": lostRecords},
	})
}

// served holds, for each script, what ends the instance that it started.
var served sync.Map

// stopServe stops what serve started.
func stopServe(ts *testscript.TestScript, neg bool, args []string) {
	end, ok := served.Load(ts)
	if !ok {
		ts.Fatalf("nothing is served")
	}
	end.(func())()
}

// oneFile copies the one file that fits a pattern: onefile b/*.db copy.
func oneFile(ts *testscript.TestScript, neg bool, args []string) {
	names, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(names) != 1 {
		ts.Fatalf("files %v", names)
	}
	b, err := os.ReadFile(names[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o600))
}

// lostRecords sets a variable to the number that the last command's hint asks to
// give with -forget-records.
func lostRecords(ts *testscript.TestScript, neg bool, args []string) {
	_, after, ok := strings.Cut(ts.ReadFile("stderr"), "loses ")
	if !ok {
		ts.Fatalf("the last command did not say how many records are lost")
	}
	n, _, _ := strings.Cut(after, " ")
	ts.Setenv(args[0], n)
}

// serveInScript starts rempart serve -data d, with more arguments if there are,
// and waits until it answers. The script's end stops it.
func serveInScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("serve cannot be negated")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	addr := ln.Addr().String()
	ts.Check(ln.Close())
	path, err := exec.LookPath("rempart")
	if err != nil {
		path = filepath.Join(strings.SplitN(ts.Getenv("PATH"), string(os.PathListSeparator), 2)[0], "rempart")
	}
	cmd := exec.Command(path, append([]string{"serve", "-data", ts.MkAbs("d"), "-addr", addr}, args...)...)
	cmd.Env = append(os.Environ(), "REMPART_ADDR=", "REMPART_DATABASE=")
	var log bytes.Buffer
	cmd.Stderr = &log
	ts.Check(cmd.Start())
	end := sync.OnceFunc(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			ts.Logf("serve: %v\n%s", err, &log)
		}
	})
	served.Store(ts, end)
	ts.Defer(end)
	ts.Setenv("URL", "http://"+addr)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if r, err := http.Get("http://" + addr + "/readyz"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(end) {
			ts.Fatalf("not ready: %s", addr)
		}
	}
}

// jsonKeys checks that each line of a file is an object with exactly the keys of
// one of the lists given, such as jsonkeys stdout file,error file,matches.
func jsonKeys(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: jsonkeys FILE KEY,KEY...")
	}
	lines := 0
	for sc := bufio.NewScanner(strings.NewReader(ts.ReadFile(args[0]))); sc.Scan(); lines++ {
		var o map[string]any
		ts.Check(json.Unmarshal(sc.Bytes(), &o))
		fits := false
		for _, list := range args[1:] {
			keys := strings.Split(list, ",")
			n := 0
			for _, k := range keys {
				if _, ok := o[k]; ok {
					n++
				}
			}
			fits = fits || n == len(keys) && n == len(o)
		}
		if !fits {
			ts.Fatalf("keys of line %d: %s", lines+1, sc.Text())
		}
	}
	if lines == 0 {
		ts.Fatalf("no lines")
	}
}

// verifierKey sets a variable to the verifier key in what rempart verify -json
// printed: verifierkey report.json KEY.
func verifierKey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: verifierkey FILE NAME")
	}
	var o struct{ Verifier string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &o))
	if o.Verifier == "" {
		ts.Fatalf("no verifier key in %s", args[0])
	}
	ts.Setenv(args[1], o.Verifier)
}

// referenceOf sets a variable to the reference in a receipt: referenceof
// receipt.txt REF.
func referenceOf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: referenceof FILE NAME")
	}
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if ref, ok := strings.CutPrefix(line, "reference "); ok {
			ts.Setenv(args[1], strings.TrimSpace(ref))
			return
		}
	}
	ts.Fatalf("no reference in %s", args[0])
}

// alter runs a statement on a SQLite database, as somebody who can write to its
// file would.
func alter() {
	db, err := sql.Open("sqlite", os.Args[1])
	if err == nil {
		defer db.Close()
		var r sql.Result
		if r, err = db.Exec(os.Args[2]); err == nil {
			n, _ := r.RowsAffected()
			fmt.Println(n, "rows")
			return
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// list makes the fingerprint of a picture an active entry, as a confirmed report
// would, in the database of an instance that runs.
func list() {
	fp, err := hashFile(context.Background(), os.Args[2])
	if err == nil {
		var db *sql.DB
		if db, err = sql.Open("sqlite", "file:"+os.Args[1]+"?_pragma=busy_timeout(10000)"); err == nil {
			defer db.Close()
			_, err = db.Exec(`INSERT INTO entries (peer_id, id, list, type, value, quality, state, case_id, case_ref, item_id, since, xid, seq)
				VALUES ('', 'e1', 'ncii-adult', 'pdq', $1, $2, 'active', 'c1', '7F3K-9QXM', 'i1', 0, 0, 1)`, fp.PDQ.String(), fp.Quality)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// alterFile replaces a text in a file, which must hold it.
func alterFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: alterfile FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o600))
}

// report sends a report to $URL and writes its receipt to a file.
func report() {
	r, err := http.Post(os.Getenv("URL")+"/api/v1/reports", "application/json", strings.NewReader(`{"words":"Texte fictif d’un essai.","addresses":["https://forum.exemple.test/p/1"]}`))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer r.Body.Close()
	var a struct{ Receipt string }
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil || a.Receipt == "" {
		fmt.Fprintln(os.Stderr, r.Status, err)
		os.Exit(1)
	}
	if err := os.WriteFile(os.Args[1], []byte(a.Receipt), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestHashFixtures prints the fingerprints of every shared picture, as a user
// would: within 10 bits of the manifest's, and exactly from a PNG, whose pixels
// are the same everywhere.
func TestHashFixtures(t *testing.T) {
	dir := os.Getenv("REMPART_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "fixtures")
	}
	manifest, err := os.ReadFile(filepath.Join(dir, "MANIFEST.tsv"))
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no fixtures: set REMPART_FIXTURES: %v", err)
		}
		t.Skipf("no fixtures: set REMPART_FIXTURES to their folder: %v", err)
	}
	var args []string
	want := map[string]pdq.Hash{}
	for line := range strings.Lines(string(manifest)) {
		col := strings.Split(line, "\t")
		if len(col) < 5 {
			continue
		}
		if h, err := pdq.Parse(col[4]); err == nil {
			name := filepath.Join(dir, filepath.FromSlash(col[0]))
			args = append(args, name)
			want[name] = h
		}
	}
	if len(args) == 0 {
		t.Fatal("no pictures in the manifest")
	}
	var out, stderr bytes.Buffer
	if code := run(t.Context(), append([]string{"hash"}, args...), nil, &out, &stderr); code != 0 {
		t.Errorf("exit %d: %s", code, &stderr)
	}
	lines := 0
	for line := range strings.Lines(out.String()) {
		f := strings.SplitN(strings.TrimSpace(line), " ", 3)
		if len(f) != 3 || f[2] != args[lines] {
			t.Fatalf("line %d: %q", lines+1, line)
		}
		lines++
		got, err := pdq.Parse(f[0])
		if err != nil {
			t.Fatal(err)
		}
		most := 10
		if filepath.Ext(f[2]) == ".png" {
			most = 0
		}
		d := got.Distance(want[f[2]])
		t.Logf("%s: %d bits, quality %s", filepath.Base(f[2]), d, f[1])
		if d > most {
			t.Errorf("%s: %d bits from the manifest's, at most %d", f[2], d, most)
		}
	}
	if lines != len(args) {
		t.Errorf("%d lines for %d pictures", lines, len(args))
	}
}
